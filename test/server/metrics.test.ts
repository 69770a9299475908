/** The metrics: what they tell, to whom, and that docs/metrics.md lists them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { METRICS } from '../../src/server/metrics';
import { FakeClock } from '../nodes/fake-clock';
import { it } from '../support/hang-guard';
import { ServerRig } from '../support/server-rig';

const TOKEN = 'scrape-me';
const PAGE = readFileSync(join(__dirname, '..', '..', 'docs', 'metrics.md'), 'utf8');

describe('metrics', () => {
  let rig: ServerRig;
  before(async () => {
    rig = await ServerRig.open({ metricsToken: TOKEN, apiKey: 'api-key', maxListeners: 7 });
  });
  after(() => rig.close());

  const fetchMetrics = (token = TOKEN, init: RequestInit = {}): Promise<Response> =>
    fetch(rig.http('/metrics'), { ...init, headers: { authorization: `Bearer ${token}` } });

  /** Values by name and labels. */
  async function scrape(): Promise<Map<string, number>> {
    const text = await (await fetchMetrics()).text();
    assert.ok(text.endsWith('\n'));
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const [, name, value] = /^(\S+) (\S+)$/.exec(line) ?? [];
        assert.ok(name !== undefined && Number.isFinite(Number(value)), line);
        return [name, Number(value)];
      }),
    );
  }

  it('count what listeners are sent, by what they chose, since the beginning', async () => {
    assert.equal((await scrape()).get('orgo_audio_capture_state{state="idle"}'), 1);
    const plain = await rig.listen();
    const opus = await rig.listen('&codec=opus&frame_ms=40');
    for (let i = 0; i < 10; i++) rig.source.give(480);
    await plain.until(() => plain.binaries.length === 10);
    await opus.until(() => opus.binaries.length === 5);
    const told = await scrape();
    const format = 'sample_rate="24000",channels="1"';
    assert.equal(told.get(`orgo_audio_listeners{${format},codec="pcm",frame_ms="20"}`), 1);
    assert.equal(told.get(`orgo_audio_listeners{${format},codec="opus",bitrate="64000",frame_ms="40"}`), 1);
    assert.equal(told.get('orgo_audio_listeners_limit'), 7);
    const received = Buffer.concat([...plain.binaries, ...opus.binaries]);
    assert.equal(told.get('orgo_audio_frames_total'), 15);
    assert.equal(told.get('orgo_audio_payload_bytes_total'), received.length);
    assert.equal(told.get('orgo_audio_capture_state{state="running"}'), 1);
    assert.equal(told.get('orgo_audio_sound'), 1);
    assert.ok(told.has('orgo_audio_age_seconds'));
    assert.ok((told.get('orgo_audio_encoding_seconds_total{codec="opus"}') ?? 0) > 0);
    // The event `stats` counts anew each time; these do not.
    assert.equal(rig.audio.takeStats().frames, 15);
    assert.equal(rig.audio.takeStats().frames, 0);
    assert.equal((await scrape()).get('orgo_audio_frames_total'), 15);
    plain.webSocket.close();
    opus.webSocket.close();
    while (rig.audio.listenerCount > 0) await new Promise(setImmediate);
    assert.equal((await scrape()).get('orgo_audio_frames_total'), 15, 'those that left count, too');
  });

  it('count who was refused', async () => {
    const before = (await scrape()).get('orgo_audio_refused_total{code="4401"}') ?? 0;
    await rig.connect('token=wrong').untilClosed();
    await rig.connect('token=correct-horse&sample_rate=1').untilClosed();
    const told = await scrape();
    assert.equal(told.get('orgo_audio_refused_total{code="4401"}'), before + 1);
    assert.equal(told.get('orgo_audio_refused_total{code="4400"}'), 1);
  });

  it('are for those who bring the token, by GET or HEAD alone', async () => {
    const answer = await fetchMetrics();
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    for (const token of ['', 'wrong', 'correct-horse', 'api-key', `${TOKEN} `.repeat(2)]) {
      const refused = await fetchMetrics(token);
      assert.equal(refused.status, 401, token);
      assert.match(await refused.text(), /The metrics token is missing or wrong: send it as/);
    }
    assert.equal((await fetch(rig.http('/metrics'))).status, 401);
    assert.equal((await fetchMetrics(TOKEN, { method: 'POST' })).status, 405);
    assert.equal(await (await fetchMetrics(TOKEN, { method: 'HEAD' })).text(), '');
    const rest = await fetch(rig.http('/api/computers/pc'), {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.equal(rest.status, 401, 'the token is no API key');
  });

  it('are not there without a token', async () => {
    const bare = await ServerRig.open();
    assert.equal((await fetch(bare.http('/metrics'))).status, 404);
    assert.equal(bare.audio.isPageUrl('/metrics'), false);
    await bare.close();
  });

  it('put the answer off for who guesses', async () => {
    const clock = new FakeClock();
    const guessed = await ServerRig.open({ metricsToken: TOKEN, clock });
    const guess = (): Promise<Response> =>
      fetch(guessed.http('/metrics'), { headers: { authorization: 'Bearer guess' } });
    for (let i = 0; i < 10; i++) assert.equal((await guess()).status, 401);
    const slow = guess();
    while (clock.pending === 0) await new Promise(setImmediate);
    clock.advance(1000);
    assert.equal((await slow).status, 401);
    await guessed.close();
  });

  it('stand in docs/metrics.md as they are', () => {
    const rows = [...PAGE.matchAll(/^\| `(orgo_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$/gm)];
    assert.deepEqual(
      rows.map(([, name, type, , help]) => ({ name, type, help })),
      METRICS.map(({ name, type, help }) => ({ name, type, help })),
    );
  });
});
