/** Reads what the sound server says about its devices, and about what plays into them. */
import { DEVICE_STATE, PORT_TYPE_VERSION } from './protocol';
import type { SampleSpec, TagReader } from './tagstruct';

/** A sink or a source, as far as capture cares. */
export interface DeviceInfo {
  readonly index: number;
  readonly name: string;
  /** As people know it. */
  readonly description: string;
  readonly spec: SampleSpec;
  /** Muted, or all its volumes 0. */
  readonly muted: boolean;
  /** Of a sink: its monitor source. Of a source: the sink that it monitors, or INVALID_INDEX. */
  readonly other: number;
  readonly driver: string;
  readonly suspended: boolean;
}

/** All items of a list reply, which has no count. */
export function readList<T>(reply: TagReader | undefined, read: (reply: TagReader) => T): T[] {
  const items: T[] = [];
  while (reply && !reply.atEnd) items.push(read(reply));
  return items;
}

/** The default sink's name, of a reply to GET_SERVER_INFO. */
export function readDefaultSink(reply: TagReader | undefined): string {
  if (!reply) return '';
  // Package name, version, user, host.
  for (let i = 0; i < 4; i++) reply.string();
  reply.sampleSpec();
  return reply.string() ?? '';
}

/** SINK_INFO and SOURCE_INFO have the same shape. */
export function readDeviceInfo(reply: TagReader, version: number): DeviceInfo {
  const index = reply.u32();
  const name = reply.string() ?? '';
  const description = reply.string() ?? '';
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
    description,
    spec,
    muted: muted || volumes.every((volume) => volume === 0),
    other,
    driver,
    suspended: state === DEVICE_STATE.suspended,
  };
}

/** A program that plays into a sink. */
export interface SinkInput {
  readonly sinkIndex: number;
  /** Its program's name, else the stream's own. */
  readonly program: string;
  /** Paused: nothing of it is heard. */
  readonly corked: boolean;
}

/** SINK_INPUT_INFO. */
export function readSinkInput(reply: TagReader): SinkInput {
  reply.u32(); // index
  const name = reply.string() ?? '';
  reply.u32(); // module
  reply.u32(); // client
  const sinkIndex = reply.u32();
  reply.sampleSpec();
  reply.channelMap();
  reply.cvolume();
  reply.usec(); // buffer latency
  reply.usec(); // sink latency
  reply.string(); // resample method
  reply.string(); // driver
  reply.boolean(); // muted
  const properties = reply.proplist();
  const corked = reply.boolean();
  reply.boolean(); // has volume
  reply.boolean(); // volume writable
  reply.formatInfo();
  return { sinkIndex, program: textOf(properties.get('application.name')) || name, corked };
}

/** A property's value is a text that ends in a NUL. */
function textOf(value: Buffer | undefined): string {
  return value?.toString().replace(/\0$/, '') ?? '';
}
