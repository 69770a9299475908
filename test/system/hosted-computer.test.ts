/** The example of a hosted computer in real Node-REDs, against a stand-in of the whole hosted service. */
import assert from 'node:assert/strict';
import { fillIn, importExample, nodeOf } from '../support/examples';
import { HostedOrgo } from '../support/hosted-orgo';
import { userDirectoryWithLink } from '../support/linked-package';
import { describeWith, needs, type SuiteTools } from '../support/needs';
import { startNodeRed, type DebugMessage, type NodeRed } from '../support/node-red';
import { NEWER_RUNTIME, OWN_RUNTIME, type Runtime, type UserDirectory } from '../support/runtimes';

/** Apart by more than what a level message may be off by. */
const AMPLITUDE_BEFORE = 0.1;
const AMPLITUDE_AFTER = 0.4;
const LEVEL_TOLERANCE_DB = 0.5;

for (const runtime of [OWN_RUNTIME, NEWER_RUNTIME]) {
  describeWith(needs(...runtime.needs), `a hosted computer, ${runtime.name}`, (tools) =>
    inRuntime(runtime, tools),
  );
}

/** Takes level messages such as `-9.0 dBFS ███` of a sine of `amplitude`. */
function isLevelOf(amplitude: number): (message: DebugMessage) => boolean {
  const dbfs = 20 * Math.log10(amplitude / Math.SQRT2);
  return ({ msg }) => Math.abs(Number.parseFloat(msg) - dbfs) < LEVEL_TOLERANCE_DB;
}

function inRuntime(runtime: Runtime, { test, before, after }: SuiteTools): void {
  let service: HostedOrgo;
  let userDir: UserDirectory;
  let nodeRed: NodeRed;

  before(async () => {
    service = await HostedOrgo.start();
    userDir = await userDirectoryWithLink();
    const env = { ORGO_API_KEY: service.apiKey, ORGO_COMPUTER_ID: service.computer.id };
    nodeRed = await startNodeRed({ ...runtime, userDir: userDir.path, env });
  });
  after(async () => {
    await nodeRed.stop();
    await userDir.remove();
    await service.close();
  });

  test('is heard with its id and an API key alone, and again after it restarted elsewhere', async () => {
    service.computer.amplitude = AMPLITUDE_BEFORE;
    const example = await importExample('hear-an-orgo-computer');
    // Only the service's own address is not the real one.
    const flow = fillIn(example, 'orgo-computer', { apiUrl: service.apiUrl });
    await nodeRed.deploy(flow);
    await nodeRed.debug('Connection events', ({ msg }) => msg.includes('"connected"'));
    await nodeRed.debug('Level', isLevelOf(AMPLITUDE_BEFORE));
    const { token, computer } = service;
    const firstAddress = `/desktops/${computer.instanceId}/ws/audio`;
    assert.deepEqual(service.calls, [{ path: firstAddress, token }]);

    const askedBefore = service.asked.length;
    service.stopComputer();
    computer.status = 'restarting';
    await service.until(() => service.asked.length > askedBefore);
    await nodeRed.status(nodeOf(flow, 'orgo-audio-in').id, (text) => text === 'computer starts');
    computer.amplitude = AMPLITUDE_AFTER;
    service.startComputer();
    await nodeRed.debug('Level', isLevelOf(AMPLITUDE_AFTER));
    const last = service.calls.at(-1);
    assert.deepEqual(last, { path: `/desktops/${computer.instanceId}/ws/audio`, token: service.token });
    assert.notEqual(last.path, firstAddress);
    assert.notEqual(last.token, token);

    for (const secret of [service.apiKey, token, service.token]) assert.ok(!nodeRed.log().includes(secret));
    await nodeRed.deploy([]);
    await service.until(() => service.listening === 0);
  });
}
