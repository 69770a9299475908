/** The last seconds of a wire, as they came; read back as PCM, with silence where sound is missing. */
import { bytesPerSample, isPcm, msOfSamples, sameFormat, samplesInMs } from '../audio/format';
import type { AudioFormat, PcmFormat } from '../audio/format';
import { isPcmFrame, type AudioFrame, type PcmFrame } from '../audio/frame';
import { silence } from '../audio/samples';
import { OpusDecoder, type PacketFrame } from '../opus/decoder';

/** Long enough that a history is few blocks, short enough that little is kept beyond what is asked for. */
const BLOCK_MS = 100;
/** Opus is kept this much longer: a decoder that begins anywhere needs some packets to be right. */
const OPUS_LEAD_MS = 200;
/** Packets that are decoded in one go: 2 ms of CPU, on a small computer 10. */
const PACKETS_A_SLICE = 10;

/** Sound as it was kept. `position` counts what is in the history, silence between streams included. */
interface Piece {
  readonly frame: AudioFrame;
  /** PCM of blocks that grow. */
  samples: number;
}

/** A stretch of the wire. */
export interface Recording {
  readonly format: PcmFormat;
  readonly data: Buffer;
  /** Per channel. */
  readonly samples: number;
  /** When the first sample was captured, epoch ms. */
  readonly time: number;
}

export class History {
  private pieces: Piece[] = [];
  private format: AudioFormat | undefined;
  /** Where the next sample goes. */
  private end = 0;
  /** When the last sample ended, epoch ms; undefined where that is only an estimate. */
  private endTime: number | undefined;
  private readonly keptMs: number;

  /** @param seconds that are kept; 0 keeps nothing */
  constructor(readonly seconds: number) {
    this.keptMs = seconds * 1000;
  }

  /**
   * Takes the next frame; of another format than before, it begins the history anew.
   * @param timed whether its `time` is known
   * @param begins it continues nothing that came before
   */
  push(frame: AudioFrame, timed: boolean, begins: boolean): void {
    if (this.keptMs === 0) return;
    const { format, time, samples } = frame;
    if (!this.format || !sameFormat(this.format, format)) this.clear(format);
    const missing = begins ? this.pauseBefore(timed ? time : undefined) : frame.gap;
    if (this.pieces.length > 0) this.end += Math.min(missing, samplesInMs(format.sampleRate, this.keptMs));
    if (isPcmFrame(frame)) this.append(frame);
    else
      this.pieces.push({
        frame: { ...frame, data: Buffer.from(frame.data), position: this.end, gap: 0 },
        samples,
      });
    this.end += samples;
    this.endTime = timed ? time + msOfSamples(format.sampleRate, samples) : undefined;
    this.forget(format);
  }

  /** Seconds that are there. */
  get heldSeconds(): number {
    const [first] = this.pieces;
    if (!first || !this.format) return 0;
    return Math.min(this.seconds, (this.end - first.frame.position) / this.format.sampleRate);
  }

  /**
   * The last `seconds`, or as much of them as there is; undefined where there is nothing. Opus is decoded in slices of a
   * few ms of CPU: the caller may do other things between two of them.
   * @throws OrgoError `ORGO_OPUS_FAILED`
   */
  *read(seconds = this.seconds): Generator<undefined, Recording | undefined> {
    const { format } = this;
    // A copy: more may come while it is decoded.
    const pieces = this.pieces.map(({ frame, samples }) => ({ ...frame, samples }));
    if (!format || pieces.length === 0) return undefined;
    const most = samplesInMs(format.sampleRate, Math.min(seconds, this.seconds) * 1000);
    if (isPcm(format)) return assemble(pieces as PcmFrame[], most);
    return assemble(yield* decoded(pieces as PacketFrame[]), most);
  }

  private clear(format: AudioFormat): void {
    this.format = format;
    this.pieces = [];
    this.endTime = undefined;
  }

  /** Samples between the end of one stream and the beginning of the next, where both times are known. */
  private pauseBefore(time: number | undefined): number {
    if (time === undefined || this.endTime === undefined || !this.format) return 0;
    return Math.max(0, samplesInMs(this.format.sampleRate, time - this.endTime));
  }

  private append(whole: PcmFrame): void {
    const { format } = whole;
    const size = bytesPerSample(format);
    const blockSamples = samplesInMs(format.sampleRate, BLOCK_MS);
    // Of a long file only its end is kept.
    const first = Math.max(0, whole.samples - samplesInMs(format.sampleRate, this.keptMs) - blockSamples);
    for (let from = first; from < whole.samples;) {
      const block = this.blockFor(whole, from, blockSamples);
      const count = Math.min(whole.samples - from, blockSamples - block.samples);
      whole.data.copy(block.frame.data, block.samples * size, from * size, (from + count) * size);
      block.samples += count;
      from += count;
    }
  }

  /** The block that goes on at sample `from` of `frame`: the last one, if it has room and nothing is missing. */
  private blockFor(frame: PcmFrame, from: number, blockSamples: number): Piece {
    const position = this.end + from;
    const last = this.pieces.at(-1);
    if (last && last.samples < blockSamples && last.frame.position + last.samples === position) return last;
    const data = Buffer.allocUnsafeSlow(blockSamples * bytesPerSample(frame.format));
    const time = frame.time + msOfSamples(frame.format.sampleRate, from);
    const block = { frame: { ...frame, data, position, time, gap: 0 }, samples: 0 };
    this.pieces.push(block);
    return block;
  }

  private forget(format: AudioFormat): void {
    const leadMs = isPcm(format) ? 0 : OPUS_LEAD_MS;
    const start = this.end - samplesInMs(format.sampleRate, this.keptMs + leadMs);
    const kept = this.pieces.findIndex(({ frame, samples }) => frame.position + samples > start);
    if (kept > 0) this.pieces.splice(0, kept);
  }
}

/** The packets as PCM of the same rate and channels, each sample at its position in the history. */
function* decoded(packets: readonly PacketFrame[]): Generator<undefined, PcmFrame[]> {
  const [first] = packets;
  if (!first) return [];
  const { sampleRate, channels } = first.format;
  const decoder = new OpusDecoder({ sampleRate, channels });
  try {
    const out: PcmFrame[] = [];
    let expected = first.position;
    for (const [index, packet] of packets.entries()) {
      if (index > 0 && index % PACKETS_A_SLICE === 0) yield;
      out.push(...decoder.push({ ...packet, gap: packet.position - expected }));
      expected = packet.position + packet.samples;
    }
    return out.concat(decoder.flush());
  } finally {
    decoder.close();
  }
}

/** The last samples of `pieces`, at most `most`, with silence between them. */
function assemble(pieces: readonly PcmFrame[], most: number): Recording | undefined {
  const [first, last] = [pieces[0], pieces.at(-1)];
  if (!first || !last) return undefined;
  const { format } = first;
  const end = last.position + last.samples;
  const start = Math.max(first.position, end - most);
  const data = silence(format, end - start);
  const size = bytesPerSample(format);
  let time: number | undefined;
  for (const { position, samples, data: sound, time: pieceTime } of pieces) {
    if (position + samples <= start) continue;
    const skipped = Math.max(0, start - position);
    sound.copy(data, (position + skipped - start) * size, skipped * size, samples * size);
    time ??= pieceTime + msOfSamples(format.sampleRate, start - position);
  }
  return { format, data, samples: end - start, time: time ?? last.time };
}
