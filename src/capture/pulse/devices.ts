/** What the sound server has to capture: its devices, and which of them a name means. */
import { OrgoError } from '../../audio/errors';
import type { PulseConnection } from './connection';
import { readDefaultSink, readDeviceInfo, readList, readSinkInput, type DeviceInfo } from './device-info';
import { COMMAND, INVALID_INDEX } from './protocol';
import type { SampleSpec, TagReader } from './tagstruct';

/** What PipeWire answers for the default sink's name while there is none. */
const PIPEWIRE_NO_DEFAULT = '@DEFAULT_SINK@';

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

/** All devices of a sound server. */
export interface Devices {
  /** Its name; empty, or one that no sink has, where there is none. */
  readonly defaultSink: string;
  readonly sinks: readonly DeviceInfo[];
  readonly sources: readonly DeviceInfo[];
}

/** Asks for all devices at once. */
export async function readDevices(connection: PulseConnection): Promise<Devices> {
  const none = (): void => undefined;
  const [server, sinkList, sourceList] = await Promise.all(
    connection.requestAll([
      { command: COMMAND.getServerInfo, write: none },
      { command: COMMAND.getSinkInfoList, write: none },
      { command: COMMAND.getSourceInfoList, write: none },
    ]),
  );
  const readDevice = (reply: TagReader): DeviceInfo => readDeviceInfo(reply, connection.version);
  return {
    defaultSink: readDefaultSink(server),
    sinks: readList(sinkList, readDevice),
    sources: readList(sourceList, readDevice),
  };
}

/**
 * Finds the source that `name` means. A source's name means itself, a sink's name its monitor, blank the
 * monitor of the default sink. Names are compared here: PipeWire would record the default in place of an
 * unknown one.
 * @throws {OrgoError} ORGO_NO_SUCH_DEVICE, with the names that exist
 */
export async function findDevice(connection: PulseConnection, name: string): Promise<CaptureDevice> {
  const { defaultSink, sinks, sources } = await readDevices(connection);
  const wanted = name === '' ? defaultSink : name;

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
  return readList(reply, readSinkInput).some((input) => input.sinkIndex === sinkIndex);
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
