/** What the server's dialog asks of the run time: the devices to choose from, and a test of what its fields hold. */
import type { Clock } from '../../src/audio/clock';
import { errorText } from '../../src/audio/errors';
import { formatText } from '../../src/audio/format';
import { listDevices, lookUpDevice } from '../../src/capture/pulse/device-list';
import { captureFormat } from '../../src/capture/pulse/record-stream';
import { checkPort } from '../../src/server/standalone-listener';
import { addDialogRoute } from '../dialogs/admin-route';
import { deployedNode, readFields } from '../dialogs/fields';
import type { Step } from '../dialogs/step';
import type { Red, RedNode } from '../shared/red';
import type { SettingValues } from '../shared/settings';
import { serverTlsOf } from '../shared/tls';
import { checkPath } from './node-red-listener';
import { listensAt } from './place';
import { SETTINGS } from './settings';

type Values = SettingValues<typeof SETTINGS>;
type Words = (key: string, values?: Readonly<Record<string, unknown>>) => string;

export function addDialogRoutes(RED: Red, clock: Clock): void {
  addDialogRoute(RED, '/orgo-audio-server/devices', async ({ body, tell }) => {
    const { pulseServer } = readFields(RED, { pulseServer: SETTINGS.pulseServer }, body);
    for (const device of await listDevices({ pulseServer, env: process.env, clock })) tell(device);
  });

  addDialogRoute(RED, '/orgo-audio-server/test', async ({ body, tell }) => {
    const words: Words = (key, values) => RED._(`orgo-audio-server.test.${key}`, values);
    const take = async (step: string, work: () => string | Promise<string>): Promise<void> => {
      try {
        tell({ step, ok: true, text: await work() } satisfies Step);
      } catch (thrown) {
        tell({ step, ok: false, text: errorText(thrown) } satisfies Step);
      }
    };
    let settings: Values;
    try {
      settings = readFields(RED, SETTINGS, body);
    } catch (thrown) {
      tell({ step: 'settings', ok: false, text: errorText(thrown) } satisfies Step);
      return;
    }
    const { password, listen, tls, source } = settings;
    // Each is tried, whatever the others showed: they don't depend on each other.
    if (password === '') tell({ step: 'password', ok: false, text: words('no-password') } satisfies Step);
    if (listen === 'own' && tls !== '')
      await take('tls', () => {
        serverTlsOf(RED, tls);
        return words('tls');
      });
    await take(listen === 'own' ? 'port' : 'path', () =>
      testPlace(RED, settings, deployedNode(RED, body), words),
    );
    await take('device', () =>
      source === 'pulse' ? testDevice(settings, clock, words) : words('no-device-needed'),
    );
  });
}

async function testPlace(
  RED: Red,
  settings: Values,
  node: RedNode | undefined,
  words: Words,
): Promise<string> {
  const { listen, host, port, path } = settings;
  const place = listen === 'own' ? `${host}:${port}` : path;
  if (listensAt(node, settings)) return words('own-place', { place });
  if (listen === 'own') await checkPort({ host, port });
  else checkPath(RED, path);
  return port === 0 && listen === 'own' ? words('any-port', { host }) : words('free', { place });
}

async function testDevice({ device, pulseServer }: Values, clock: Clock, words: Words): Promise<string> {
  const found = await lookUpDevice({ pulseServer, env: process.env, clock }, device);
  const values = {
    device: found.sink?.name ?? found.sourceName,
    format: formatText(captureFormat(found.spec)),
  };
  return words(found.muted ? 'device-muted' : 'device', values);
}
