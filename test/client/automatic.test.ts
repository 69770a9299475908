/** The automatic address, against a stand-in of the whole hosted service. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'node:test';
import { automaticEndpoint, type EndpointSource } from '../../src/client/endpoint';
import { OrgoApi } from '../../src/client/orgo-api';
import { HostedOrgo } from '../support/hosted-orgo';
import { listenTo, type Listening } from './rig';
import { it } from '../support/hang-guard';

describe('automatic, at the hosted service', () => {
  let service: HostedOrgo;
  let listening: Listening | undefined;

  beforeEach(async () => {
    service = await HostedOrgo.start();
    listening = undefined;
  });
  afterEach(async () => {
    if (listening) {
      const stopped = listening.stream.stop('closed');
      listening.clock.advance(2000);
      await stopped;
      assert.equal(listening.clock.pending, 0, 'a timer is left');
      const told = JSON.stringify(
        [...listening.hearer.states, ...listening.hearer.notices].map((each) =>
          'error' in each ? each.error.message : 'message' in each ? each.message : '',
        ),
      );
      assert.ok(!told.includes(service.token) && !told.includes(service.apiKey), told);
    }
    await service.close();
  });

  function listen(options: { password?: string; apiKey?: string } = {}): Listening {
    const clock = {
      now: () => listening?.clock.now() ?? 0,
      epochOffset: () => 0,
      after: (ms: number, fn: () => void) => listening?.clock.after(ms, fn) ?? (() => undefined),
    };
    const { apiKey = service.apiKey, password = '' } = options;
    const { id: computerId } = service.computer;
    const api = new OrgoApi({ apiUrl: new URL(service.apiUrl), apiKey, computerId, clock });
    const source = automaticEndpoint(api, computerId, password);
    // Asked in a turn of its own, so that the clock is there.
    const endpoints: EndpointSource = {
      ...source,
      find: (request) => Promise.resolve().then(() => source.find(request)),
    };
    listening = listenTo(new URL(service.origin), { endpoints });
    return listening;
  }

  /** Waits for `waiting`, and lets the wait pass. */
  async function retry({ hearer, clock }: Listening): Promise<string> {
    const { error, retryInMs } = await hearer.state('waiting');
    clock.advance(retryInMs);
    return error.message;
  }

  it('hears the computer with one question to the API', async () => {
    await listen().hearer.state('running');
    const { id, instanceId, password } = service.computer;
    assert.deepEqual(service.asked, [`/api/computers/${id}`]);
    assert.deepEqual(service.calls, [{ path: `/desktops/${instanceId}/ws/audio`, token: password }]);
  });

  it('prefers the token of newer images', async () => {
    service.computer.desktopApiToken = 'dat & more';
    await listen().hearer.state('running');
    assert.equal(service.calls[0]?.token, 'dat & more');
  });

  it('asks for the password the older way where the answer lacks it', async () => {
    service.computer.overrides = { vnc_password: undefined };
    await listen().hearer.state('running');
    const { id } = service.computer;
    assert.deepEqual(service.asked, [`/api/computers/${id}`, `/api/computers/${id}/vnc-password`]);
  });

  it('does not take a password that holds half of a character', async () => {
    service.computer.password = 'half \ud800 a pair';
    const { error } = await listen().hearer.state('waiting');
    assert.equal(error.code, 'ORGO_API_BAD_ANSWER');
    assert.match(error.message, /a password that holds half of a character/);
    assert.deepEqual(service.calls, []);
  });

  it("builds the document's address where the answer lacks one", async () => {
    service.computer.overrides = { connection_url: null };
    const api = new OrgoApi({
      apiUrl: new URL(service.apiUrl),
      apiKey: service.apiKey,
      computerId: service.computer.id,
      clock: { now: () => 0, epochOffset: () => 0, after: () => () => undefined },
    });
    const { signal } = new AbortController();
    const { url } = await automaticEndpoint(api, service.computer.id, '').find({ signal });
    assert.equal(url.href, `wss://${service.computer.id}.orgo.dev/audio`);
    await assert.rejects(automaticEndpoint(api, 'my computer', '').find({ signal }), {
      code: 'ORGO_BAD_ADDRESS',
    });
  });

  it('asks again slowly, and calls nobody, while the API gives an address that is not safe', async () => {
    service.computer.overrides = { connection_url: 'ftp://127.0.0.1/desktops/1' };
    const all = listen();
    const { error, retryInMs } = await all.hearer.state('waiting');
    assert.equal(error.code, 'ORGO_BAD_ADDRESS');
    assert.ok(retryInMs >= 30_000, `${retryInMs} ms`);
    assert.deepEqual(service.calls, []);
    service.computer.overrides = {};
    await retry(all);
    await all.hearer.state('running');
  });

  it('uses a password that was entered', async () => {
    await listen({ password: service.token }).hearer.state('running');
    assert.equal(service.asked.length, 1);
  });

  it('follows the computer through a restart: another address, another password', async () => {
    const all = listen();
    await all.hearer.state('running');
    const before = service.calls[0];
    service.stopComputer();
    assert.match(await retry(all), /shuts down, or its computer stops/);
    assert.match(await retry(all), /is not running, the API calls it “stopped”/);
    service.computer.status = 'restarting';
    assert.match(await retry(all), /not ready yet, the API calls it “restarting”/);
    service.startComputer();
    for (; all.hearer.begun.length < 2;) {
      await all.hearer.until(() => ['waiting', 'running'].includes(all.hearer.states.at(-1)?.kind ?? ''));
      if (all.hearer.states.at(-1)?.kind === 'waiting') await retry(all);
    }
    const after = service.calls.at(-1);
    assert.deepEqual(after, {
      path: `/desktops/${service.computer.instanceId}/ws/audio`,
      token: service.computer.password,
    });
    assert.notEqual(after.path, before?.path);
    assert.notEqual(after.token, before?.token);
  });

  for (const [status, code] of [
    ['creating', 'ORGO_COMPUTER_STARTING'],
    ['starting', 'ORGO_COMPUTER_STARTING'],
    ['restarting', 'ORGO_COMPUTER_STARTING'],
    ['stopping', 'ORGO_COMPUTER_NOT_RUNNING'],
    ['stopped', 'ORGO_COMPUTER_NOT_RUNNING'],
    ['suspended', 'ORGO_COMPUTER_NOT_RUNNING'],
    ['deleting', 'ORGO_COMPUTER_NOT_RUNNING'],
    ['error', 'ORGO_COMPUTER_NOT_RUNNING'],
  ] as const) {
    it(`waits for a computer that is ${status}, and calls nobody else`, async () => {
      service.computer.status = status;
      const all = listen();
      assert.equal((await all.hearer.state('waiting')).error.code, code);
      assert.deepEqual(service.calls, []);
      service.computer.status = 'running';
      await retry(all);
      await all.hearer.state('running');
    });
  }

  it('connects where the API says nothing, or something new, of the status', async () => {
    for (const status of [undefined, 'dreaming']) {
      service.computer.overrides = { status };
      const { hearer, stream } = listen();
      await hearer.state('running');
      await stream.stop('stopped');
    }
  });

  for (const code of [4001, 4401, 4004]) {
    it(`asks the API anew once after ${code}`, async () => {
      service.nextCloses.push({ code, reason: 'once' });
      const { hearer } = listen();
      await hearer.state('running');
      assert.equal(service.asked.length, 2);
      assert.ok(hearer.states.every(({ kind }) => kind !== 'waiting'));
    });
  }

  for (const [code, errorCode] of [
    [4000, 'ORGO_BAD_ADDRESS'],
    [4006, 'ORGO_NO_ACCESS'],
    [4011, 'ORGO_NO_ACCESS'],
  ] as const) {
    it(`never tries again after ${code}`, async () => {
      service.nextCloses.push({ code });
      const { hearer, clock } = listen();
      assert.equal((await hearer.state('refused')).error.code, errorCode);
      assert.equal(clock.pending, 0);
      assert.equal(service.calls.length, 1);
    });
  }

  it('never tries again after 4004 twice, and slowly after 4401 twice', async () => {
    service.nextCloses.push({ code: 4004 }, { code: 4004 });
    const gone = listen();
    assert.equal((await gone.hearer.state('refused')).error.code, 'ORGO_NO_SUCH_COMPUTER');
    assert.equal(service.calls.length, 2);
    await gone.stream.stop('stopped');
    service.nextCloses.push({ code: 4401 }, { code: 4001 });
    const rejected = listen();
    const { error, retryInMs } = await rejected.hearer.state('waiting');
    assert.equal(error.code, 'ORGO_BAD_TOKEN');
    assert.ok(retryInMs >= 30_000);
    await retry(rejected);
    await rejected.hearer.state('running');
  });

  for (const code of [1000, 1001, 1013, 4003, 4007, 4404, 4500, 4502]) {
    it(`waits, and asks the API anew, after ${code}`, async () => {
      service.nextCloses.push({ code });
      const all = listen();
      await retry(all);
      await all.hearer.state('running');
      assert.equal(service.asked.length, 2);
    });
  }

  it('connects at once after 4008', async () => {
    const { hearer, clock } = listen();
    await hearer.state('running');
    clock.advance(5000);
    service.closeListeners(4008, 'idle');
    await hearer.state('connecting');
    await hearer.state('running');
    assert.equal(hearer.begun.length, 2);
    assert.ok(hearer.states.every(({ kind }) => kind !== 'waiting'));
  });

  for (const [status, code, kind] of [
    [400, 'ORGO_API_UNAVAILABLE', 'waiting'],
    [403, 'ORGO_API_FORBIDDEN', 'refused'],
    [404, 'ORGO_API_NOT_FOUND', 'waiting'],
    [409, 'ORGO_API_UNAVAILABLE', 'waiting'],
    [500, 'ORGO_API_BAD_ANSWER', 'waiting'],
    [302, 'ORGO_API_BAD_ANSWER', 'waiting'],
  ] as const) {
    it(`is ${kind} where the API answers ${status}`, async () => {
      service.nextAnswers.push({
        status,
        body: { error: 'no' },
        headers: { location: 'http://127.0.0.1:1/' },
      });
      const { hearer } = listen();
      assert.equal((await hearer.state(kind)).error.code, code);
      assert.deepEqual(service.calls, []);
    });
  }

  it('is refused with a key that is none', async () => {
    const { hearer } = listen({ apiKey: 'sk_live_of_another' });
    assert.equal((await hearer.state('refused')).error.code, 'ORGO_API_KEY_REJECTED');
  });

  for (const [status, wait] of [
    [429, 1000],
    [503, 1000],
  ] as const) {
    it(`waits as it is told where the API answers ${status}`, async () => {
      service.nextAnswers.push({ status }, { status });
      const { hearer, clock } = listen();
      for (const ms of [wait, wait * 2]) {
        await hearer.until(() => hearer.states.at(-1)?.kind === 'authorizing');
        while (clock.nextIn !== ms) await new Promise((resolve) => setImmediate(resolve));
        assert.ok(hearer.states.some((state) => state.kind === 'authorizing' && state.wait !== undefined));
        clock.advance(ms);
      }
      await hearer.state('running');
    });
  }
});
