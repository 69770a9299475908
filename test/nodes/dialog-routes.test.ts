/** What open dialogs ask of the run time: who may, what each test tells, and that no secret comes back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createPort, type AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe } from 'node:test';
import { KEPT } from '../../nodes/dialogs/kept';
import registerServer from '../../nodes/orgo-audio-server/orgo-audio-server';
import registerComputer from '../../nodes/orgo-computer/orgo-computer';
import type { HttpApp, HttpHandler } from '../../nodes/shared/red';
import { systemClock } from '../../src/audio/clock';
import { it } from '../support/hang-guard';
import { HostedOrgo } from '../support/hosted-orgo';
import { FakeRed } from './fake-red';

interface Line {
  readonly step?: string;
  readonly ok?: boolean;
  readonly text?: string;
  readonly failure?: string;
}

describe('what dialogs ask of the run time', () => {
  const RED = new FakeRed();
  let url = '';
  let hosted: HostedOrgo;

  before(async () => {
    const routes = new Map<string, readonly HttpHandler[]>();
    const app: HttpApp = {
      get: () => undefined,
      use: (path, ...handlers) => void routes.set(path, handlers),
    };
    const needsPermission =
      (permission: string): HttpHandler =>
      (request, response, next) => {
        if (request.headers.authorization === `may ${permission}`) next();
        else response.writeHead(401).end();
      };
    // As Node-RED does: JSON is parsed before the route sees it.
    const server = createServer((request: IncomingMessage & { body?: unknown }, response) => {
      const [guard, handler] = routes.get(request.url ?? '') ?? [];
      void readBody(request).then((text) => {
        if (request.headers['content-type'] === 'application/json') request.body = JSON.parse(text);
        guard?.(request, response, () => handler?.(request, response, () => response.destroy()));
        if (!guard) response.writeHead(404).end();
      });
    });
    Object.assign(RED, { server, httpAdmin: app, auth: { needsPermission } });
    registerComputer(RED, { clock: systemClock });
    registerServer(RED);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(async () => {
    hosted = await HostedOrgo.start();
  });
  afterEach(() => hosted.close());
  after(() => {
    RED.server.closeAllConnections();
    RED.server.close();
  });

  function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${url}/${path}`, {
      method: 'POST',
      headers: { authorization: 'may flows.write', 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  async function lines(path: string, fields: Record<string, unknown>, id = ''): Promise<Line[]> {
    const response = await post(path, { id, fields });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const text = await response.text();
    for (const secret of [hosted.apiKey, hosted.token, 'a secret that was typed']) {
      assert.ok(!text.includes(secret), `a secret comes back: ${text}`);
    }
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  }

  /** `key ok`, `address failed`, … */
  const told = (answers: readonly Line[]): string[] =>
    answers.map(({ step, ok }) => `${step} ${ok === true ? 'ok' : 'failed'}`);

  const computer = (fields: Record<string, unknown>, id?: string): Promise<Line[]> =>
    lines('orgo-computer/test', fields, id);
  const automatic = (): Record<string, unknown> => ({
    ...{ audioUrl: '', apiUrl: hosted.apiUrl, computerId: hosted.computer.id, tls: '_ADD_' },
    ...{ password: '', apiKey: hosted.apiKey },
  });

  for (const path of ['orgo-computer/test', 'orgo-audio-server/test', 'orgo-audio-server/devices']) {
    it(`${path} answers who may deploy, and what no page of another origin can send`, async () => {
      const status = async (headers: Record<string, string>, body: unknown = {}): Promise<number> =>
        (await post(path, body, headers)).status;
      assert.equal(await status({ authorization: '' }), 401);
      assert.equal(await status({ authorization: 'may flows.read' }), 401);
      assert.equal(await status({ 'content-type': 'text/plain' }), 415);
      assert.equal(await status({ 'content-type': 'application/x-www-form-urlencoded' }), 415);
      assert.equal(await status({}, ['fields']), 400);
      const get = await fetch(`${url}/${path}`, { headers: { authorization: 'may flows.write' } });
      assert.equal(get.status, 405);
    });
  }

  it('a computer that is heard: every step is told, and how loud it is', async () => {
    const answers = await computer(automatic());
    assert.deepEqual(told(answers), ['key ok', 'computer ok', 'address ok', 'password ok', 'sound ok']);
    assert.equal(answers.at(-1)?.text, 'sound {"format":"24000 Hz mono s16le","peak":"-12"}');
  });

  it('a computer at which nothing plays', async () => {
    hosted.computer.amplitude = 0;
    assert.equal((await computer(automatic())).at(-1)?.text, 'silence {"format":"24000 Hz mono s16le"}');
  });

  it('each fault is told at its own step', async () => {
    const wrong = { ...automatic(), apiKey: 'a-wrong-key' };
    assert.deepEqual(told(await computer(wrong)), ['key failed']);
    const unknown = await computer({ ...automatic(), computerId: 'nobody' });
    assert.deepEqual(told(unknown), ['key ok', 'computer failed']);
    hosted.computer.status = 'stopped';
    assert.deepEqual(told(await computer(automatic())), ['key ok', 'computer failed']);
    hosted.computer.status = 'running';
    hosted.computer.overrides = { connection_url: 'http://user@127.0.0.1/' };
    const unsafe = await computer(automatic());
    assert.deepEqual(told(unsafe), ['key ok', 'computer ok', 'address failed']);
    hosted.computer.overrides = {};
    const password = await computer({ ...automatic(), password: 'a secret that was typed' });
    assert.deepEqual(told(password), ['key ok', 'computer ok', 'address ok', 'password failed']);
    hosted.nextCloses.push({ code: 4500 });
    const lost = await computer(automatic());
    assert.deepEqual(told(lost), ['key ok', 'computer ok', 'address ok', 'sound failed']);
  });

  it('an API that asks to wait is told at once', async () => {
    hosted.nextAnswers.push({ status: 503, body: {} });
    assert.deepEqual(told(await computer(automatic())), ['key failed']);
  });

  it('an address at which nothing answers, and one that is none', async () => {
    const port = await takenPort();
    await port.free();
    const fields = { audioUrl: `ws://127.0.0.1:${port.number}/audio`, password: 'a secret that was typed' };
    const [nobody] = await computer(fields);
    assert.deepEqual([nobody?.step, nobody?.ok], ['address', false]);
    assert.match(nobody?.text ?? '', new RegExp(`127.0.0.1:${port.number}`));
    const [none] = await computer({ ...fields, audioUrl: 'https://a.example/' });
    assert.deepEqual([none?.step, none?.ok], ['settings', false]);
    assert.match(none?.text ?? '', /^audioUrl is "https:\/\/a\.example\/": it must be .*wss:\/\//);
  });

  it('a password that was saved earlier need not be typed again', async () => {
    const { computer: desk } = hosted;
    const audioUrl = `${hosted.origin.replace('http', 'ws')}/desktops/${desk.instanceId}/ws/audio`;
    RED.create('orgo-computer', { id: 'kept', audioUrl }, { password: hosted.token });
    const fields = { audioUrl, password: KEPT, apiKey: '' };
    assert.deepEqual(told(await computer(fields, 'kept')), ['address ok', 'password ok', 'sound ok']);
    const [unknown] = await computer(fields, 'never deployed');
    assert.deepEqual([unknown?.step, unknown?.ok], ['settings', false]);
    assert.match(unknown?.text ?? '', /^password is kept by Node-RED.*deploy the node, or type it again/);
  });

  it('an environment variable of the node’s flow is read, and one that is not set is named', async () => {
    const audioUrl = `${hosted.origin.replace('http', 'ws')}/desktops/${hosted.computer.instanceId}/ws/audio`;
    const node = RED.create('orgo-computer', { id: 'in a flow', audioUrl }, { password: 'other' });
    const getSetting = (asked: object, name: string): unknown =>
      asked === node && name === 'DESK_PASSWORD' ? hosted.token : undefined;
    Object.assign(RED, { util: { getSetting } });
    const fields = { audioUrl, password: '${DESK_PASSWORD}' };
    assert.deepEqual(told(await computer(fields, 'in a flow')), ['address ok', 'password ok', 'sound ok']);
    const [missing] = await computer({ ...fields, audioUrl: '${ORGO_NOT_SET}' }, 'in a flow');
    assert.match(missing?.text ?? '', /environment variable ORGO_NOT_SET is not set/);
  });

  const server = (fields: Record<string, unknown>, id?: string): Promise<Line[]> =>
    lines(
      'orgo-audio-server/test',
      { source: 'test', port: '0', password: 'a-long-password', ...fields },
      id,
    );

  it('a server: whether its port is free, and who has it', async () => {
    const port = await takenPort();
    const taken = await server({ port: String(port.number) });
    assert.deepEqual(told(taken), ['port failed', 'device ok']);
    assert.match(taken[0]?.text ?? '', /is taken by another program or node/);
    await port.free();
    assert.deepEqual(told(await server({ port: String(port.number) })), ['port ok', 'device ok']);
    const [far] = await server({ host: '203.0.113.1' });
    assert.match(far?.text ?? '', /203\.0\.113\.1 is no address of this machine/);
  });

  it('a server that runs has its port itself', async () => {
    const free = await takenPort();
    await free.free();
    const settings = { id: 'runs', source: 'test', port: free.number };
    const node = RED.create('orgo-audio-server', settings, { password: 'a-long-password' });
    await new Promise<void>((resolve) => {
      node.on('status', () => {
        if (node.lastStatus?.text?.startsWith('listening') === true) resolve();
      });
    });
    const fields = { port: String(free.number), password: KEPT };
    const own = await server(fields, 'runs');
    assert.deepEqual(told(own), ['port ok', 'device ok']);
    assert.match(own[0]?.text ?? '', /^own-place /);
    assert.deepEqual(told(await server({ ...fields, password: 'x' }, 'another')), [
      'port failed',
      'device ok',
    ]);
    await node.close();
    assert.match((await server(fields, 'runs'))[0]?.text ?? '', /^free /);
  });

  it('a server on Node-RED’s own: its path', async () => {
    RED.configs.push({ id: 'rival', type: 'websocket-listener', path: '/taken' });
    const at = (path: string): Promise<Line[]> => server({ listen: 'node-red', path });
    assert.match((await at('/taken'))[0]?.text ?? '', /belongs to the websocket-listener rival/);
    assert.match((await at('/comms'))[0]?.text ?? '', /Node-RED's editor has its own WebSocket/);
    assert.deepEqual(told(await at('/audio')), ['path ok', 'device ok']);
  });

  it('a server without password, sound server or right settings', async () => {
    const fields = { source: 'pulse', pulseServer: 'unix:/nonexistent/native', password: '' };
    const answers = await server(fields);
    assert.deepEqual(told(answers), ['password failed', 'port ok', 'device failed']);
    assert.match(answers[2]?.text ?? '', /No sound server answers at unix:\/nonexistent\/native/);
    const [wrong] = await server({ port: '70000' });
    assert.equal(wrong?.text, 'port is "70000": it must be a whole number from 0 to 65535');
    const [devices] = await lines('orgo-audio-server/devices', fields);
    assert.match(devices?.failure ?? '', /No sound server answers/);
    const [address] = await lines('orgo-audio-server/devices', { pulseServer: 'unix:nowhere' });
    assert.match(address?.failure ?? '', /is no address of a sound server/);
  });
});

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A port that someone listens on until it is freed. */
async function takenPort(): Promise<{ readonly number: number; free(): Promise<void> }> {
  const server = createPort().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    number: port,
    async free() {
      server.close();
      await once(server, 'close');
    },
  };
}
