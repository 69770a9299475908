/** What the sound server has to capture: its devices, and which of them a name means. */
import { OrgoError } from '../../audio/errors';
import type { PulseConnection } from './connection';
import { COMMAND, DEVICE_STATE, INVALID_INDEX, PORT_TYPE_VERSION } from './protocol';
import type { SampleSpec, TagReader } from './tagstruct';

/** What PipeWire answers for the default sink's name while there is none. */
const PIPEWIRE_NO_DEFAULT = '@DEFAULT_SINK@';

/** A sink or a source, as far as capture cares. */
interface DeviceInfo {
  readonly index: number;
  readonly name: string;
  readonly spec: SampleSpec;
  /** Muted, or all its volumes 0. */
  readonly muted: boolean;
  /** Of a sink: its monitor source. Of a source: the sink that it monitors, or INVALID_INDEX. */
  readonly other: number;
  readonly driver: string;
  readonly suspended: boolean;
}

/** A source that can be captured, with what must be known of the sink that it monitors. */
export interface CaptureDevice {
  readonly sourceIndex: number;
  readonly sourceName: string;
  readonly spec: SampleSpec;
  /** The source or its sink is muted or turned down to 0: then all that is heard is digital silence. */
  readonly muted: boolean;
  readonly suspended: boolean;
  /** The sink that a monitor belongs to. */
  readonly sink: { readonly index: number; readonly name: string; readonly driver: string } | undefined;
}

/**
 * Finds the source that `name` means. A source's name means itself, a sink's name its monitor, blank the
 * monitor of the default sink. Names are compared here: PipeWire would record the default in place of an
 * unknown one.
 * @throws {OrgoError} ORGO_NO_SUCH_DEVICE, with the names that exist
 */
export async function findDevice(connection: PulseConnection, name: string): Promise<CaptureDevice> {
  const none = (): void => undefined;
  const [server, sinkList, sourceList] = await Promise.all(
    connection.requestAll([
      { command: COMMAND.getServerInfo, write: none },
      { command: COMMAND.getSinkInfoList, write: none },
      { command: COMMAND.getSourceInfoList, write: none },
    ]),
  );
  const readDevice = (reply: TagReader): DeviceInfo => readDeviceInfo(reply, connection.version);
  const sinks = readList(sinkList, readDevice);
  const sources = readList(sourceList, readDevice);
  const wanted = name === '' ? readDefaultSink(server) : name;

  const named = name === '' ? undefined : sources.find((source) => source.name === wanted);
  const sinkIndexWanted = sinks.find((sink) => sink.name === wanted)?.other;
  const source = named ?? sources.find((candidate) => candidate.index === sinkIndexWanted);
  if (!source) throw noSuchDevice(name, wanted, sinks, sources);

  const sink = sinks.find((candidate) => candidate.index === source.other);
  return {
    sourceIndex: source.index,
    sourceName: source.name,
    spec: source.spec,
    muted: source.muted || (sink?.muted ?? false),
    suspended: source.suspended || (sink?.suspended ?? false),
    sink: sink && { index: sink.index, name: sink.name, driver: sink.driver },
  };
}

/** Whether anything plays into the sink, or is about to. */
export async function sinkHasInputs(connection: PulseConnection, sinkIndex: number): Promise<boolean> {
  const reply = await connection.request(COMMAND.getSinkInputInfoList);
  return readList(reply, readSinkInputsSink).includes(sinkIndex);
}

function readList<T>(reply: TagReader | undefined, read: (reply: TagReader) => T): T[] {
  const items: T[] = [];
  while (reply && !reply.atEnd) items.push(read(reply));
  return items;
}

function readDefaultSink(reply: TagReader | undefined): string {
  if (!reply) return '';
  // Package name, version, user, host.
  for (let i = 0; i < 4; i++) reply.string();
  reply.sampleSpec();
  return reply.string() ?? '';
}

/** SINK_INFO and SOURCE_INFO have the same shape. */
function readDeviceInfo(reply: TagReader, version: number): DeviceInfo {
  const index = reply.u32();
  const name = reply.string() ?? '';
  reply.string(); // description
  const spec = reply.sampleSpec();
  reply.channelMap();
  reply.u32(); // module
  const volumes = reply.cvolume();
  const muted = reply.boolean();
  const other = reply.u32();
  reply.string(); // the other's name
  reply.usec(); // latency
  const driver = reply.string() ?? '';
  reply.u32(); // flags
  reply.proplist();
  reply.usec(); // latency asked for
  reply.volume(); // base volume
  const state = reply.u32();
  reply.u32(); // volume steps
  reply.u32(); // card
  const ports = reply.u32();
  for (let port = 0; port < ports; port++) {
    reply.string(); // name
    reply.string(); // description
    reply.u32(); // priority
    reply.u32(); // available
    if (version < PORT_TYPE_VERSION) continue;
    reply.string(); // availability group
    reply.u32(); // type
  }
  reply.string(); // active port
  const formats = reply.u8();
  for (let format = 0; format < formats; format++) reply.formatInfo();
  return {
    index,
    name,
    spec,
    muted: muted || volumes.every((volume) => volume === 0),
    other,
    driver,
    suspended: state === DEVICE_STATE.suspended,
  };
}

function readSinkInputsSink(reply: TagReader): number {
  reply.u32(); // index
  reply.string(); // name
  reply.u32(); // module
  reply.u32(); // client
  const sink = reply.u32();
  reply.sampleSpec();
  reply.channelMap();
  reply.cvolume();
  reply.usec(); // buffer latency
  reply.usec(); // sink latency
  reply.string(); // resample method
  reply.string(); // driver
  reply.boolean(); // muted
  reply.proplist();
  reply.boolean(); // corked
  reply.boolean(); // has volume
  reply.boolean(); // volume writable
  reply.formatInfo();
  return sink;
}

function noSuchDevice(
  name: string,
  wanted: string,
  sinks: readonly DeviceInfo[],
  sources: readonly DeviceInfo[],
): OrgoError {
  const monitored = sources.filter((source) => source.other === INVALID_INDEX);
  const names = [...sinks, ...monitored].map((device) => device.name);
  const isNone = wanted === '' || wanted === PIPEWIRE_NO_DEFAULT;
  const what =
    name !== ''
      ? `The sound server has no sink or source named "${name}"`
      : isNone
        ? 'The sound server has no default sink'
        : `The sound server's default sink "${wanted}" does not exist`;
  const exist =
    names.length === 0
      ? 'It has none at all: load one, such as module-null-sink.'
      : `It has: ${names.join(', ')}.`;
  return new OrgoError('ORGO_NO_SUCH_DEVICE', `${what}. ${exist}`);
}
