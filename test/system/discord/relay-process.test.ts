/** The process that speaks with Discord: how it ends, and what it keeps to itself. */
import assert from 'node:assert/strict';
import { describeWith, needs } from '../../support/needs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Relay } from '../../../src/discord/relay';
import type { RelayFailure, RelayStart, ToRelay } from '../../../src/discord/relay-messages';
import { RELAY_TIMEOUTS } from '../../../src/discord/relay-timeouts';
import { GUILD, StandIn, TOKEN, VOICE } from '../../discord/support/stand-in';
import { VoiceRig } from '../../discord/support/voice-rig';

/** Loaded before the relay: a fault of the library at a word. */
const FAULTS = `process.on('message', ({ kind }) => {
  if (kind === 'hang') for (;;);
  if (kind === 'break') throw new Error('the library broke');
})`;
const FAULTY = ['--import', `data:text/javascript,${encodeURIComponent(FAULTS)}`];

/** A Node-RED that starts a relay, lets it hang, and tells its process id. */
const PARENT = `
const { fork } = require('node:child_process');
const { modulePath, execPath, execArgv, start } = JSON.parse(process.env.TEST_PARENT);
const child = fork(modulePath, [], { execPath, execArgv, serialization: 'advanced', stdio: 'ignore' });
child.send(start);
child.once('message', () => child.send({ kind: process.env.TEST_WORD }, () => console.log(child.pid)));`;

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describeWith(needs('node24-discord'), 'the relay process', ({ test, before, after }) => {
  let discord: StandIn;
  before(async () => {
    discord = await StandIn.start({ daveVersion: 0 });
  });
  after(async () => {
    await discord.stop();
  });

  test('that is killed is told, and started again', async () => {
    const rig = new VoiceRig(discord);
    rig.voice.join();
    await rig.state('ready');
    const pid = rig.voice.relayPid!;
    process.kill(pid, 'SIGKILL');
    const { error, retryInMs } = await rig.state('waiting');
    assert.match(error.message, /SIGKILL/);
    assert.equal(retryInMs, 1000);
    await rig.state('ready');
    assert.notEqual(rig.voice.relayPid, pid);
    await rig.voice.close();
  });

  test('knows the token, and neither its command line nor its environment does', async () => {
    const rig = new VoiceRig(discord);
    rig.voice.join();
    await rig.state('ready');
    for (const file of ['cmdline', 'environ'])
      assert.ok(!(await readFile(`/proc/${rig.voice.relayPid!}/${file}`, 'utf8')).includes(TOKEN));
    await rig.voice.close();
  });

  function start(): RelayStart {
    const { apiUrl } = discord.gateway;
    const ids = { token: TOKEN, guildId: GUILD, channelId: VOICE };
    return {
      ...{ kind: 'start', ...ids, apiUrl, maxQueueMs: 160, liveDuringRecording: 'drop' },
      timeouts: RELAY_TIMEOUTS,
    };
  }

  /** Starts a relay, and says `word` to it once it runs. */
  function startFaulty(word: 'hang' | 'break'): { relay: Relay; ended: Promise<RelayFailure | undefined> } {
    const { program } = discord;
    let end: (failure: RelayFailure | undefined) => void;
    const ended = new Promise<RelayFailure | undefined>((resolve) => (end = resolve));
    let said = false;
    const relay: Relay = new Relay(
      start(),
      {
        message: () => {
          if (!said) relay.send({ kind: word } as unknown as ToRelay);
          said = true;
        },
        ended: (failure) => end(failure),
      },
      { ...program, execArgv: [...program.execArgv, ...FAULTY] },
    );
    return { relay, ended };
  }

  test('ends with the reason where the library throws', async () => {
    const { ended } = startFaulty('break');
    const failure = await ended;
    assert.match(failure?.text ?? '', /the library broke/);
    assert.equal(failure?.then, 'retry');
  });

  test('that hangs is ended when it is to leave', async () => {
    const { relay, ended } = startFaulty('hang');
    await relay.leave();
    assert.equal(await ended, undefined);
    await untilGone(relay.pid!);
  });

  for (const word of ['nothing', 'hang'] as const) {
    test(`ends when its parent is killed, after it was told ${word}`, async () => {
      const { modulePath, execPath, execArgv, env } = discord.program;
      const given = { modulePath, execPath, execArgv: [...execArgv, ...FAULTY], start: start() };
      const parent = spawn(process.execPath, ['-e', PARENT], {
        env: { ...env, TEST_PARENT: JSON.stringify(given), TEST_WORD: word },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      assert.ok(pid > 0);
      parent.kill('SIGKILL');
      await untilGone(pid);
    });
  }
});
