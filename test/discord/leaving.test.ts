/** What a voice does while its relay process leaves: told to join again it comes back, and it leaves nothing running. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { systemClock, type Clock } from '../../src/audio/clock';
import { DiscordVoice, type VoiceEvent, type VoiceState } from '../../src/discord/discord-voice';
import { it } from '../support/hang-guard';
import { fakeRelay } from './support/fake-relay';

const PLACE = { token: 'a.b.c', guildId: '100000000000000001', channelId: '200000000000000001' };
/** Ends a test that hangs, in words. */
const HANG_MS = 20_000;

/** A clock that knows how many timers run. */
class CountingClock implements Clock {
  pending = 0;
  readonly now = (): number => systemClock.now();
  readonly epochOffset = (): number => systemClock.epochOffset();

  after(ms: number, fn: () => void): () => void {
    this.pending++;
    let runs = true;
    const stop = (): void => {
      if (runs) this.pending--;
      runs = false;
    };
    const cancel = systemClock.after(ms, () => {
      stop();
      fn();
    });
    return () => {
      stop();
      cancel();
    };
  }
}

class Rig {
  readonly clock = new CountingClock();
  readonly events: VoiceEvent['event'][] = [];
  readonly voice: DiscordVoice;
  private look: () => void = () => undefined;

  constructor() {
    const sink = {
      onState: () => this.look(),
      onEvent: ({ event }: VoiceEvent) => void this.events.push(event),
      onError: (error: Error) => assert.fail(error),
    };
    this.voice = new DiscordVoice(PLACE, sink, { clock: this.clock, program: fakeRelay() });
  }

  async state(kind: VoiceState['kind']): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const inVain = (): void =>
        reject(new Error(`Awaited in vain: ${kind}. It is ${this.voice.state.kind}`));
      const hang = setTimeout(inVain, HANG_MS);
      this.look = () => {
        if (this.voice.state.kind !== kind) return;
        clearTimeout(hang);
        resolve();
      };
      this.look();
    });
  }
}

describe('a voice that leaves', () => {
  it('keeps no timer, whatever its relay still says', async () => {
    const rig = new Rig();
    rig.voice.join();
    await rig.state('encrypted');
    assert.equal(rig.clock.pending, 2);
    await rig.voice.close();
    assert.equal(rig.clock.pending, 0);
    assert.deepEqual(rig.events, ['ready', 'left']);
  });

  it('comes back where it is told to join before it has left', async () => {
    const rig = new Rig();
    rig.voice.join();
    await rig.state('encrypted');
    const leaving = rig.voice.leave();
    rig.voice.join();
    await leaving;
    await rig.state('encrypted');
    assert.deepEqual(rig.events, ['ready', 'left', 'ready']);
    await rig.voice.close();
  });

  it('obeys the last word of many: told to leave twice and to join in between, it is out', async () => {
    const rig = new Rig();
    rig.voice.join();
    await rig.state('encrypted');
    const first = rig.voice.leave();
    rig.voice.join();
    const second = rig.voice.leave();
    await Promise.all([first, second]);
    assert.equal(rig.voice.state.kind, 'left');
    assert.deepEqual(rig.events, ['ready', 'left']);
    await rig.voice.close();
  });

  it('does not come back from being closed', async () => {
    const rig = new Rig();
    rig.voice.join();
    await rig.state('encrypted');
    const closing = rig.voice.close();
    rig.voice.join();
    await closing;
    assert.equal(rig.voice.state.kind, 'closed');
    assert.equal(rig.voice.relayPid, undefined);
    assert.equal(rig.clock.pending, 0);
  });
});
