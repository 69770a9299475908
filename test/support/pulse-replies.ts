/** What a PulseAudio server answers about its devices. */
import type { TagWriter } from '../../src/capture/pulse/tagstruct';

const NONE = 0xffffffff;
export const SPEC = { format: 3, channels: 2, rate: 44_100 };

export interface FakeDevice {
  readonly index: number;
  readonly name: string;
  readonly other?: number;
  readonly volumes?: readonly number[];
  readonly muted?: boolean;
  readonly state?: number;
  readonly ports?: number;
}

export function writeDevice(writer: TagWriter, version: number, device: FakeDevice): void {
  const { index, name, other = NONE, volumes = [65536, 65536], muted = false, state = 1, ports = 0 } = device;
  writer.u32(index).string(name).string('described').sampleSpec(SPEC).channelMap([1, 2]).u32(7);
  writer.cvolume(volumes).boolean(muted).u32(other).string('other').usec(1000n).string('module-null-sink.c');
  writer
    .u32(0)
    .proplist(new Map([['a', Buffer.from('b\0')]]))
    .usec(0n)
    .volume(65536)
    .u32(state)
    .u32(65537);
  writer.u32(NONE).u32(ports);
  for (let port = 0; port < ports; port++) {
    writer.string(`port ${port}`).string('described').u32(1).u32(0);
    if (version >= 34) writer.string(null).u32(3);
  }
  writer.string(null).u8(1).formatInfo({ encoding: 1, properties: new Map() });
}
