/** One attempt at a device, from connecting until anything ends it: a connection that carries one stream. */
import type { Clock } from '../../audio/clock';
import { OrgoError } from '../../audio/errors';
import { bytesPerSample, sameFormat } from '../../audio/format';
import { SampleJoiner } from '../../audio/sample-joiner';
import type { PulseAddress } from './address';
import { connectFirst } from './connect-first';
import {
  asOrgoError,
  PulseConnection,
  PulseRequestError,
  type Connect,
  type ConnectionEvents,
} from './connection';
import { findDevice, type CaptureDevice } from './devices';
import { COMMAND, SUBSCRIBE_MASK } from './protocol';
import {
  captureFormat,
  kickNullSink,
  openRecordStream,
  type CaptureFormat,
  type RecordStream,
} from './record-stream';
import type { TagReader } from './tagstruct';

export interface SessionOptions {
  /** A sink's or source's name; blank: the default sink's monitor. */
  readonly device: string;
  /** As PULSE_SERVER; blank: the environment's. */
  readonly pulseServer: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** How much sound arrives at once, until {@link Session.setFragment} says another length. */
  readonly fragmentMs: number;
  readonly connect?: Connect;
}

/** What a session reports. Nothing comes after `onEnd`, or after {@link Session.close}. */
export interface SessionEvents {
  /** The stream is made; samples may follow. Comes once, before them. */
  onStream(device: CaptureDevice, format: CaptureFormat): void;
  /** Whole samples, as they arrive; at most what one read of the socket holds. */
  onAudio(data: Buffer): void;
  /** The device was muted, suspended, or the reverse. */
  onDevice(device: CaptureDevice): void;
  /** undefined: another device, or the same in another format, is to be captured now; else what failed. */
  onEnd(error: OrgoError | undefined): void;
}

export interface Session {
  /** Gets an idle null sink going; does nothing where that could be heard. */
  kick(): void;
  /** How much sound arrives at once from now on, ms. */
  setFragment(ms: number): void;
  /** Ends it at once, without a word. May be called twice. */
  close(): void;
}

/** Starts a session; events never come before this has returned. */
export function openSession(options: SessionOptions, events: SessionEvents): Session {
  const session = new PulseSession(options, events);
  void session.run();
  return session;
}

interface Captured {
  readonly device: CaptureDevice;
  readonly format: CaptureFormat;
}

class PulseSession implements Session {
  private connection: PulseConnection | undefined;
  private captured: Captured | undefined;
  private stream: RecordStream | undefined;
  private fragmentMs: number;
  private open = true;
  private readonly joiner = new SampleJoiner();
  private killed = false;
  private looking = false;
  private lookWanted = false;

  constructor(
    private readonly options: SessionOptions,
    private readonly events: SessionEvents,
  ) {
    this.fragmentMs = options.fragmentMs;
  }

  async run(): Promise<void> {
    try {
      const { device: name } = this.options;
      const connection = await connectFirst(this.options, (address, isConnected) =>
        this.open ? this.connectTo(address, isConnected) : undefined,
      );
      // Subscribed before the device is looked up, so that no change of it is missed.
      const mask = SUBSCRIBE_MASK.sink | SUBSCRIBE_MASK.source | SUBSCRIBE_MASK.server;
      await connection.request(COMMAND.subscribe, (args) => args.u32(mask));
      const device = await findDevice(connection, name);
      const format = captureFormat(device.spec);
      if (!this.open) return;
      // A device that idles is suspended, and resumes for the stream: looking afterwards shows it.
      this.captured = { device: { ...device, suspended: false }, format };
      this.events.onStream(this.captured.device, format);
      const { fragmentMs } = this;
      this.stream = await openRecordStream(connection, device, format, fragmentMs);
      // It may have been changed while the stream was made.
      if (this.fragmentMs !== fragmentMs) this.setFragment(this.fragmentMs);
      this.look();
    } catch (error) {
      this.end(asOrgoError(error));
    }
  }

  kick(): void {
    if (!this.connection || !this.captured) return;
    kickNullSink(this.connection, this.captured.device).catch((error: unknown) => {
      // A server that refuses the kick still delivers, only later; all else ends the session as anywhere.
      if (!(error instanceof PulseRequestError)) this.end(asOrgoError(error));
    });
  }

  setFragment(ms: number): void {
    this.fragmentMs = ms;
    this.stream?.setFragment(ms).catch((error: unknown) => {
      // A server that refuses goes on in the pieces that it had.
      if (!(error instanceof PulseRequestError)) this.end(asOrgoError(error));
    });
  }

  close(): void {
    this.open = false;
    this.connection?.close();
  }

  private connectTo(address: PulseAddress, isConnected: () => boolean): PulseConnection {
    const events: ConnectionEvents = {
      onPush: (command, body) => this.onPush(command, body),
      onAudio: (_channel, bytes) => this.onAudio(bytes),
      // While it connects, its requests fail and say why.
      onEnd: (error) => {
        if (isConnected()) this.end(error);
      },
    };
    this.connection = new PulseConnection(address, events, this.options.clock, this.options.connect);
    return this.connection;
  }

  private onAudio(bytes: Buffer): void {
    if (!this.open || !this.captured) return;
    const data = this.joiner.push(bytes, bytesPerSample(this.captured.format));
    if (data.length > 0) this.events.onAudio(data);
  }

  private onPush(command: number, body: TagReader): void {
    if (command === COMMAND.recordStreamKilled) this.killed = true;
    if (command === COMMAND.recordStreamMoved) {
      body.u32(); // channel
      if (body.u32() !== this.captured?.device.sourceIndex) {
        this.end(undefined);
        return;
      }
    }
    this.look();
  }

  /** Whatever was pushed (a change, a suspension, the stream's end): the lists say how it is now. */
  private look(): void {
    this.lookWanted = true;
    if (!this.looking) void this.lookWhileWanted();
  }

  private async lookWhileWanted(): Promise<void> {
    this.looking = true;
    while (this.takeLook()) {
      const before = this.captured;
      // Before there is a stream, nothing can have changed for it.
      if (!this.connection || !before) break;
      try {
        this.compare(before, await findDevice(this.connection, this.options.device));
      } catch (error) {
        this.end(asOrgoError(error));
      }
    }
    this.looking = false;
  }

  private takeLook(): boolean {
    const wanted = this.lookWanted && this.open;
    this.lookWanted = false;
    return wanted;
  }

  private compare(before: Captured, device: CaptureDevice): void {
    if (!this.open) return;
    const isSame =
      device.sourceIndex === before.device.sourceIndex &&
      sameFormat(captureFormat(device.spec), before.format);
    if (!isSame) {
      this.end(undefined);
      return;
    }
    if (this.killed) {
      const name = device.sourceName;
      this.end(
        new OrgoError(
          'ORGO_SOUND_SERVER_FAILED',
          `The sound server ended the recording of "${name}". It is tried again.`,
        ),
      );
      return;
    }
    this.captured = { ...before, device };
    if (device.muted !== before.device.muted || device.suspended !== before.device.suspended) {
      this.events.onDevice(device);
    }
  }

  private end(error: OrgoError | undefined): void {
    if (!this.open) return;
    this.close();
    this.events.onEnd(error);
  }
}
