/** A pacer on a clock that a test turns: what it sends, and when. */
import { Pacer, type PacerSettings } from '../../../src/discord/pacer';
import { SILENCE_FRAME, type SoundPacket } from '../../../src/discord/sound-packet';

export interface Sent {
  readonly at: number;
  readonly rtpTime: number;
  readonly opus: Buffer;
}

/** A packet whose bytes tell its number; long enough not to look silent. */
export function sound(number: number, more: Partial<SoundPacket> = {}): SoundPacket {
  const opus = Buffer.alloc(40, 1);
  opus.writeUInt32BE(number);
  return { opus, live: true, silent: false, sourceMs: number * 20, clockMs: number * 20, ...more };
}

export function numberOf({ opus }: Sent): number | 'silence' {
  return opus.equals(SILENCE_FRAME) ? 'silence' : opus.readUInt32BE();
}

export class Simulation {
  now = 1000;
  readonly sent: Sent[] = [];
  readonly speaking: boolean[] = [];
  readonly pacer: Pacer;

  /** @param settings.remembers how much of what was sent is kept: the first one, and these many of the last */
  constructor({ remembers = Infinity, ...settings }: Partial<PacerSettings> & { remembers?: number } = {}) {
    this.pacer = new Pacer(
      { maxQueueMs: 160, liveDuringRecording: 'drop', ...settings },
      {
        send: (opus, rtpTime) => {
          this.sent.push({ at: this.now, rtpTime, opus });
          if (this.sent.length > 2 * remembers) this.sent.splice(1, remembers);
        },
        setSpeaking: (on) => this.speaking.push(on),
      },
    );
    this.pacer.setOpen(true);
  }

  get numbers(): (number | 'silence')[] {
    return this.sent.map(numberOf);
  }

  push(packet: SoundPacket): void {
    this.pacer.push(packet, this.now);
  }

  /** Lets time pass; what is due is sent when it is due. */
  runUntil(time: number): void {
    for (let due = this.pacer.nextDue; due !== undefined && due <= time; due = this.pacer.nextDue) {
      this.now = Math.max(this.now, due);
      this.pacer.tick(this.now);
    }
    this.now = time;
  }

  /** Time passes while nobody looks: a process that was held up. */
  block(ms: number): void {
    this.now += ms;
  }
}
