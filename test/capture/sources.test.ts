import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createSource,
  DEFAULT_SOURCE,
  SOURCE_SETTINGS,
  SOURCE_TYPES,
  SOURCES,
  type SourceType,
} from '../../src/capture/sources';
import type { PcmFrame } from '../../src/audio/frame';
import { FlowSource } from '../../src/capture/flow-source';
import { parseSettings } from '../../src/settings/read';
import type { Setting } from '../../src/settings/setting';
import { SETTINGS as SERVER_SETTINGS } from '../../nodes/orgo-audio-server/settings';
import { FakeClock } from '../nodes/fake-clock';

const VALUES = parseSettings(SOURCE_SETTINGS, {});

describe('the registry of sources', () => {
  it('offers each source once, the default among them', () => {
    assert.equal(new Set(SOURCE_TYPES).size, SOURCES.length);
    for (const type of ['pulse', 'input', 'test']) assert.ok(SOURCE_TYPES.includes(type as SourceType), type);
    assert.ok(SOURCE_TYPES.includes(DEFAULT_SOURCE));
  });

  it('has no setting twice, and shows each with its own source alone', () => {
    const names = SOURCES.flatMap(({ settings }) => Object.keys(settings));
    assert.deepEqual(names, Object.keys(SOURCE_SETTINGS));
    for (const { type, settings } of SOURCES) {
      for (const name of Object.keys(settings)) {
        const { when } = SOURCE_SETTINGS[name as keyof typeof SOURCE_SETTINGS];
        assert.deepEqual(when, { source: [type] }, name);
      }
    }
  });

  it('names no setting as the server names one of its own', () => {
    const all: Readonly<Record<string, Setting>> = SERVER_SETTINGS;
    for (const { type, settings } of SOURCES)
      for (const name of Object.keys(settings)) assert.deepEqual(all[name]?.when, { source: [type] }, name);
  });

  it('makes what was chosen', () => {
    assert.ok(createSource('input', VALUES, new FakeClock()) instanceof FlowSource);
  });
});

it('the times of a source follow the wall clock at once when that is set', () => {
  for (const type of ['test', 'input'] as const) {
    const clock = new FakeClock();
    const source = createSource(type, VALUES, clock);
    const frames: PcmFrame[] = [];
    source.start({ onFrame: (frame) => frames.push(frame), onState: () => undefined });
    if (source instanceof FlowSource) {
      const format = { encoding: 's16le', sampleRate: 8000, channels: 1 } as const;
      const data = Buffer.alloc(64_000);
      source.push({ format, data, samples: 32_000, position: 0, time: 0, gap: 0, latencyMs: 0 }, false);
    }
    clock.advance(1000);
    const before = frames.at(-1)?.time ?? 0;
    clock.epoch += 3_600_000;
    clock.advance(20);
    const after = frames.at(-1)?.time ?? 0;
    assert.ok(Math.abs(after - before - 3_600_020) < 1, `${type}: ${after - before}`);
    source.stop();
  }
});
