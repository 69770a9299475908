/** The stream that carries a source's samples, and the kick that gets an idle null sink going. */
import { bytesPerSample, samplesInMs, type AudioFormat, type Channels } from '../../audio/format';
import type { PulseConnection, PulseRequest } from './connection';
import { sinkHasInputs, type CaptureDevice } from './devices';
import { CHANNEL, COMMAND, INVALID_INDEX, SAMPLE_FORMAT_S16LE } from './protocol';
import type { SampleSpec, TagWriter } from './tagstruct';

export type CaptureFormat = AudioFormat<'s16le'>;

const MIN_RATE = 8000;
const MAX_RATE = 192_000;
const FALLBACK_RATE = 48_000;
const STREAM_NAME = 'Orgo audio capture';
/** The driver of the sinks that virtual desktops have; the only kind that is ever kicked. */
const NULL_SINK_DRIVER = 'module-null-sink.c';

/** A device's own format as it is captured: nothing is resampled where that can be helped. */
export function captureFormat({ rate, channels }: SampleSpec): CaptureFormat {
  const sampleRate = rate >= MIN_RATE && rate <= MAX_RATE ? rate : FALLBACK_RATE;
  const captured: Channels = channels === 1 ? 1 : 2;
  return { encoding: 's16le', sampleRate, channels: captured };
}

/** A stream that records. */
export interface RecordStream {
  /** Changes how much sound the server sends at once, ms; nothing is lost by it. */
  setFragment(ms: number): Promise<void>;
}

/**
 * Starts to record; samples arrive through the connection's events, perhaps before this resolves.
 * @param fragmentMs how much sound the server sends at once; also the latency that it asks of the device
 */
export async function openRecordStream(
  connection: PulseConnection,
  device: CaptureDevice,
  format: CaptureFormat,
  fragmentMs: number,
): Promise<RecordStream> {
  const fragmentBytes = (ms: number): number => samplesInMs(format.sampleRate, ms) * bytesPerSample(format);
  const reply = await connection.request(COMMAND.createRecordStream, (args) => {
    writeRecordStream(args, device.sourceIndex, format, fragmentBytes(fragmentMs));
  });
  const channel = reply.u32();
  return {
    setFragment: async (ms) => {
      await connection.request(COMMAND.setRecordStreamBufferAttr, (args) => {
        args
          .u32(channel)
          .u32(INVALID_INDEX) // maxlength, as at the beginning
          .u32(fragmentBytes(ms))
          .boolean(true) // adjust_latency
          .boolean(false); // early_requests
      });
    },
  };
}

function writeRecordStream(
  args: TagWriter,
  source: number,
  format: CaptureFormat,
  fragmentBytes: number,
): void {
  const map = format.channels === 1 ? [CHANNEL.mono] : [CHANNEL.frontLeft, CHANNEL.frontRight];
  args
    .sampleSpec({ format: SAMPLE_FORMAT_S16LE, channels: format.channels, rate: format.sampleRate })
    .channelMap(map)
    .u32(source)
    .string(null)
    // maxlength, the server's own: what piles up in a stall must be counted before it is thrown away.
    .u32(INVALID_INDEX)
    .boolean(false) // corked
    .u32(fragmentBytes)
    .boolean(false) // no_remap
    .boolean(false) // no_remix
    .boolean(false) // fix_format
    .boolean(false) // fix_rate
    .boolean(false) // fix_channels
    .boolean(true) // no_move: a change of default would move the stream to another device
    .boolean(false) // variable_rate
    .boolean(false) // peak_detect
    .boolean(true) // adjust_latency: without it the device goes on in blocks of 2 s
    .proplist(new Map([['media.name', Buffer.from(`${STREAM_NAME}\0`)]]))
    .u32(INVALID_INDEX) // direct_on_input
    .boolean(false) // early_requests
    .boolean(false) // dont_inhibit_auto_suspend
    .boolean(false) // fail_on_suspend
    .u8(0) // formats
    .cvolume(map.map(() => 0x10000))
    .boolean(false) // muted
    .boolean(false) // volume_set
    .boolean(false) // muted_set
    .boolean(false) // relative_volume
    .boolean(false); // passthrough
}

/**
 * Suspends and resumes the null sink behind `device`, where nothing plays into it: an idle one has rendered up
 * to 2 s of silence ahead, and would deliver nothing until that has passed. Both requests go out in one write,
 * so a process that dies here does not leave the sink suspended; one that is suspended already is resumed.
 */
export async function kickNullSink(connection: PulseConnection, device: CaptureDevice): Promise<void> {
  const sink = device.sink;
  if (sink?.driver !== NULL_SINK_DRIVER) return;
  if (await sinkHasInputs(connection, sink.index)) return;
  const suspend = (suspended: boolean): PulseRequest => ({
    command: COMMAND.suspendSink,
    write: (args) => args.u32(sink.index).string(null).boolean(suspended),
  });
  await Promise.all(connection.requestAll([suspend(true), suspend(false)]));
}
