import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PulseConnection } from '../../src/capture/pulse/connection';
import { findDevice, type CaptureDevice } from '../../src/capture/pulse/devices';
import { TagReader, TagWriter } from '../../src/capture/pulse/tagstruct';
import { SPEC, writeDevice, type FakeDevice } from '../support/pulse-replies';

/** What a server with these devices says when it is asked for `name`. */
function find(
  name: string,
  server: {
    sinks?: readonly FakeDevice[];
    sources?: readonly FakeDevice[];
    defaultSink?: string;
    version?: number;
  },
): Promise<CaptureDevice> {
  const { sinks = [], sources = [], defaultSink = 'a', version = 35 } = server;
  const info = new TagWriter().string('pulseaudio').string('16').string('me').string('here').sampleSpec(SPEC);
  info.string(defaultSink).string(`${defaultSink}.monitor`).u32(1).channelMap([1, 2]);
  const list = (devices: readonly FakeDevice[]): TagWriter => {
    const writer = new TagWriter();
    for (const device of devices) writeDevice(writer, version, device);
    return writer;
  };
  const replies = [info, list(sinks), list(sources)];
  const connection = {
    version,
    requestAll: () => replies.map((reply) => Promise.resolve(new TagReader(reply.done()))),
  };
  // Only these two are used of a connection.
  return findDevice(connection as unknown as PulseConnection, name);
}

const sinks = [
  { index: 0, name: 'a', other: 5 },
  { index: 1, name: 'b', other: 6 },
];
const sources = [
  { index: 5, name: 'a.monitor', other: 0 },
  { index: 6, name: 'b.monitor', other: 1 },
  { index: 7, name: 'microphone' },
];

describe('the device that a name means', () => {
  for (const [name, sourceName] of [
    ['', 'a.monitor'],
    ['b', 'b.monitor'],
    ['b.monitor', 'b.monitor'],
    ['microphone', 'microphone'],
  ] as const) {
    it(`"${name}" is ${sourceName}`, async () => {
      assert.equal((await find(name, { sinks, sources })).sourceName, sourceName);
    });
  }

  it('has the format of the source, and the driver of the sink behind a monitor', async () => {
    const device = await find('b', { sinks, sources });
    assert.deepEqual(device.spec, SPEC);
    assert.deepEqual(device.sink, { index: 1, name: 'b', driver: 'module-null-sink.c' });
    assert.equal((await find('microphone', { sinks, sources })).sink, undefined);
  });

  it('is muted when the source or its sink is, or is turned down to 0 in every channel', async () => {
    const muted = async (change: Partial<FakeDevice>, ofSink: boolean): Promise<boolean> => {
      const changed = (devices: readonly FakeDevice[]): FakeDevice[] =>
        devices.map((device) => ({ ...device, ...change }));
      const server = ofSink ? { sinks: changed(sinks), sources } : { sinks, sources: changed(sources) };
      return (await find('a', server)).muted;
    };
    for (const ofSink of [true, false]) {
      assert.equal(await muted({ muted: true }, ofSink), true);
      assert.equal(await muted({ volumes: [0, 0] }, ofSink), true);
      assert.equal(await muted({ volumes: [0, 1] }, ofSink), false);
    }
  });

  it('is suspended when the source or its sink is', async () => {
    const [first, second] = [sinks.map((sink) => ({ ...sink, state: 2 })), sources];
    assert.equal((await find('a', { sinks: first, sources: second })).suspended, true);
    assert.equal((await find('a', { sinks, sources })).suspended, false);
  });

  for (const version of [24, 33, 34, 35]) {
    it(`is read right behind one with ports, by protocol version ${version}`, async () => {
      const withPorts = sinks.map((sink) => ({ ...sink, ports: 2 }));
      assert.equal((await find('b', { sinks: withPorts, sources, version })).sourceName, 'b.monitor');
    });
  }

  const missing: readonly (readonly [string, Parameters<typeof find>, RegExp])[] = [
    ['an unknown name', ['c', { sinks, sources }], /named "c"\. It has: a, b, microphone\./],
    ['no default', ['', { sinks, sources, defaultSink: '' }], /no default sink\. It has: a, b/],
    [
      'a default of no sink',
      ['', { sinks, sources, defaultSink: 'gone' }],
      /default sink "gone" does not exist/,
    ],
    ["PipeWire's none", ['', { defaultSink: '@DEFAULT_SINK@' }], /no default sink\. It has none at all/],
  ];
  for (const [what, args, text] of missing) {
    it(`fails with the names that exist for ${what}`, async () => {
      await assert.rejects(find(...args), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ORGO_NO_SUCH_DEVICE');
        assert.match(error.message, text);
        return true;
      });
    });
  }
});
