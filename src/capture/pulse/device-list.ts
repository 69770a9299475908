/** Lists what a sound server has to capture, for people to choose from. */
import type { Clock } from '../../audio/clock';
import { connectFirst, type ServerPlace } from './connect-first';
import { PulseConnection, type Connect } from './connection';
import { readList, readSinkInput } from './device-info';
import { findDevice, readDevices, type CaptureDevice } from './devices';
import { COMMAND, INVALID_INDEX } from './protocol';

/** A sink, whose monitor is captured, or a source such as a microphone. */
export interface ListedDevice {
  /** What the setting `device` takes. */
  readonly name: string;
  /** As people know it. */
  readonly description: string;
  readonly kind: 'sink' | 'source';
  /** A blank setting means this one. */
  readonly isDefault: boolean;
  /** Programs that play into it now; one that is paused is none. */
  readonly playing: readonly string[];
  /** Muted, or its volume is 0. */
  readonly muted: boolean;
}

export interface DeviceListOptions extends ServerPlace {
  readonly clock: Clock;
  readonly connect?: Connect;
}

/**
 * All sinks, then all sources but the sinks' monitors.
 * @throws {OrgoError} where no sound server answers, or it refuses
 */
export function listDevices(options: DeviceListOptions): Promise<ListedDevice[]> {
  return withConnection(options, async (connection) => {
    const { defaultSink, sinks, sources } = await readDevices(connection);
    const inputs = readList(await connection.request(COMMAND.getSinkInputInfoList), readSinkInput);
    const programsAt = (sinkIndex: number): string[] =>
      inputs.filter((input) => input.sinkIndex === sinkIndex && !input.corked).map(({ program }) => program);
    return [
      ...sinks.map(({ index, name, description, muted }) => ({
        ...{ name, description, muted, kind: 'sink' as const },
        isDefault: name === defaultSink,
        playing: [...new Set(programsAt(index))],
      })),
      ...sources
        .filter(({ other }) => other === INVALID_INDEX)
        .map(({ name, description, muted }) => ({
          ...{ name, description, muted, kind: 'source' as const },
          isDefault: false,
          playing: [],
        })),
    ];
  });
}

/**
 * The device that the setting `device` means: see {@link findDevice}.
 * @throws {OrgoError} where there is none, or no sound server answers
 */
export function lookUpDevice(options: DeviceListOptions, name: string): Promise<CaptureDevice> {
  return withConnection(options, (connection) => findDevice(connection, name));
}

async function withConnection<T>(
  options: DeviceListOptions,
  ask: (connection: PulseConnection) => Promise<T>,
): Promise<T> {
  const nothing = (): void => undefined;
  // What ends the connection rejects the request that waits, too.
  const events = { onPush: nothing, onAudio: nothing, onEnd: nothing };
  const connection = await connectFirst(
    options,
    (address) => new PulseConnection(address, events, options.clock, options.connect),
  );
  try {
    return await ask(connection);
  } finally {
    connection.close();
  }
}
