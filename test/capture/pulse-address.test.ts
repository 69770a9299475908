import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { addressText, pulseAddresses, type AddressContext } from '../../src/capture/pulse/address';
import { cookiePaths, readCookie } from '../../src/capture/pulse/cookie';

const context = (env: Record<string, string> = {}): AddressContext => ({
  env,
  uid: 1000,
  machineId: 'here',
});
const addresses = (setting: string, env?: Record<string, string>): string[] =>
  pulseAddresses(setting, context(env)).map(addressText);

describe('the address of the sound server', () => {
  it('is the setting, before PULSE_SERVER', () => {
    assert.deepEqual(addresses('unix:/a', { PULSE_SERVER: 'unix:/b' }), ['unix:/a']);
    assert.deepEqual(addresses('  ', { PULSE_SERVER: 'unix:/b' }), ['unix:/b']);
  });

  it('is looked for in the usual places when nothing names it, each once', () => {
    assert.deepEqual(addresses('', { PULSE_RUNTIME_PATH: '/p', XDG_RUNTIME_DIR: '/run/user/1000' }), [
      'unix:/p/native',
      'unix:/run/user/1000/pulse/native',
      'unix:/var/run/pulse/native',
    ]);
    assert.deepEqual(addresses(''), ['unix:/run/user/1000/pulse/native', 'unix:/var/run/pulse/native']);
  });

  const forms: readonly (readonly [string, readonly string[]])[] = [
    ['/a/b', ['unix:/a/b']],
    ['tcp:host:4714', ['tcp:host:4714']],
    ['tcp:host', ['tcp:host:4713']],
    ['tcp4:10.0.0.1:1', ['tcp:10.0.0.1:1']],
    ['tcp6:[::1]:4713', ['tcp:[::1]:4713']],
    ['host', ['tcp:host:4713']],
    ['{here}unix:/a {there}unix:/b tcp:c:5', ['unix:/a', 'tcp:c:5']],
  ];
  for (const [setting, expected] of forms) {
    it(`"${setting}" means ${expected.join(', then ')}`, () => {
      assert.deepEqual(addresses(setting), expected);
    });
  }

  for (const setting of [
    'unix:relative',
    'tcp:',
    'tcp:host:0',
    'tcp:host:99999',
    'tcp:host:x',
    'a/b',
    '{there}/a',
  ]) {
    it(`"${setting}" is refused with the value and what is wanted`, () => {
      assert.throws(
        () => addresses(setting),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'ORGO_BAD_SETTING');
          assert.ok(error.message.includes(setting));
          return true;
        },
      );
      assert.throws(() => addresses('', { PULSE_SERVER: setting }), /PULSE_SERVER/);
    });
  }
});

describe('the cookie', () => {
  it('is looked for in PULSE_COOKIE alone where that is set, else at home', () => {
    assert.deepEqual(cookiePaths({ PULSE_COOKIE: '/c', HOME: '/h' }), ['/c']);
    assert.deepEqual(cookiePaths({ HOME: '/h' }), ['/h/.config/pulse/cookie', '/h/.pulse-cookie']);
    assert.deepEqual(cookiePaths({ HOME: '/h', XDG_CONFIG_HOME: '/x' }), [
      '/x/pulse/cookie',
      '/h/.config/pulse/cookie',
      '/h/.pulse-cookie',
    ]);
    assert.deepEqual(cookiePaths({}), []);
  });

  it('is the first file that holds 256 bytes, and zeros where there is none', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'orgo-cookie-'));
    try {
      const short = join(dir, 'short');
      const right = join(dir, 'right');
      await writeFile(short, Buffer.alloc(255, 1));
      await writeFile(right, Buffer.alloc(256, 2));
      assert.deepEqual(await readCookie([join(dir, 'absent'), dir, short, right]), Buffer.alloc(256, 2));
      assert.deepEqual(await readCookie([short]), Buffer.alloc(256));
      assert.deepEqual(await readCookie([]), Buffer.alloc(256));
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
