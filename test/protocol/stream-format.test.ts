import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatStreamQuery,
  frameLengths,
  frameSamples,
  parseStreamQuery,
  SAMPLE_RATES,
  tokenOf,
  WIRE_FRAME_MS,
} from '../../src/protocol/stream-format';

const read = (query: string): ReturnType<typeof parseStreamQuery> =>
  parseStreamQuery(new URLSearchParams(query));

describe('the rates of the wire', () => {
  it('are those at which 20 ms are a whole number of samples', () => {
    assert.deepEqual(SAMPLE_RATES, [8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000]);
    for (const rate of SAMPLE_RATES) assert.equal(frameSamples(rate), rate / 50);
    assert.equal(frameSamples(22050), 441);
    assert.equal(frameSamples(44100), 882);
  });
});

describe('parseStreamQuery', () => {
  it('takes 24 kHz mono, and no clock, where nothing is asked for', () => {
    assert.deepEqual(read('token=t'), {
      token: 't',
      format: { encoding: 's16le', sampleRate: 24000, channels: 1 },
      choice: undefined,
      clock: false,
    });
  });

  it('takes the clock for `1` alone, and does not mind what it does not know', () => {
    assert.equal(read('clock=1').clock, true);
    for (const query of ['clock=0', 'clock=true', 'clock=', 'clock', 'colour=blue']) {
      assert.equal(read(query).clock, false, query);
    }
  });

  it('names the parameter, its value cut short, and what is allowed', () => {
    for (const [query, message] of [
      ['sample_rate=', /^sample_rate is "": it must be one of 8000, 12000, .*, 48000$/],
      ['sample_rate=%2024000', /sample_rate is " 24000"/],
      ['sample_rate=24000.0', /sample_rate is "24000.0"/],
      ['sample_rate=0x5dc0', /"0x5dc0"/],
      ['sample_rate=11025', /"11025"/],
      ['sample_rate', /sample_rate is ""/],
      ['sample_rate=24000&sample_rate=24000', /given 2 times \("24000", "24000"…\): give it once/],
      [`channels=${'1'.repeat(500)}`, /^channels is "1{40}": it must be one of 1, 2$/],
      ['channels=0', /channels is "0"/],
      ['channels=01', /channels is "01"/],
      ['channels=-1', /channels is "-1"/],
    ] as const) {
      assert.throws(() => read(query), { code: 'ORGO_BAD_SETTING', message }, query);
    }
  });

  it('reads back what formatStreamQuery wrote, whatever the token holds', () => {
    const plain = { noNullPrototype: true };
    const wanted = fc.record(
      {
        token: fc.string({ unit: 'binary' }),
        format: fc.record(
          {
            encoding: fc.constant('s16le' as const),
            sampleRate: fc.constantFrom(...SAMPLE_RATES),
            channels: fc.constantFrom(1 as const, 2 as const),
          },
          plain,
        ),
        choice: fc.option(
          fc.oneof(
            fc.record(
              {
                codec: fc.constant('pcm' as const),
                frameMs: fc.constantFrom(20 as const, 40 as const, 60 as const, 100 as const),
                bitrate: fc.constant(undefined),
              },
              plain,
            ),
            fc.record(
              {
                codec: fc.constant('opus' as const),
                frameMs: fc.constantFrom(20 as const, 40 as const, 60 as const),
                bitrate: fc.integer({ min: 6000, max: 510_000 }),
              },
              plain,
            ),
          ),
          { nil: undefined },
        ),
        clock: fc.boolean(),
      },
      plain,
    );
    fc.assert(fc.property(wanted, (query) => assert.deepEqual(read(formatStreamQuery(query)), query)));
  });

  it('accepts no number but those that are listed, as they are written', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)), (text) => {
        fc.pre(!SAMPLE_RATES.map(String).includes(text));
        assert.throws(() => read(`sample_rate=${encodeURIComponent(text)}`));
      }),
    );
  });
});

describe('tokenOf', () => {
  it('is empty where there is none, or more than one', () => {
    const token = (query: string): string => tokenOf(new URLSearchParams(query));
    assert.equal(token('token=a%2Bb'), 'a+b');
    assert.equal(token(''), '');
    assert.equal(token('token='), '');
    assert.equal(token('token=a&token=a'), '');
    assert.equal(token('Token=a'), '');
  });
});

describe('what a listener may choose', () => {
  it('is nothing where nothing of it is asked for', () => {
    for (const query of ['', 'clock=1', 'frames=5', 'Codec=opus'])
      assert.equal(read(query).choice, undefined);
  });

  it('has the document’s values where one of it is left out', () => {
    assert.deepEqual(read('frame_ms=20').choice, { codec: 'pcm', frameMs: 20, bitrate: undefined });
    assert.deepEqual(read('codec=pcm&frame_ms=100').choice, {
      codec: 'pcm',
      frameMs: 100,
      bitrate: undefined,
    });
    assert.deepEqual(read('codec=opus').choice, { codec: 'opus', frameMs: 20, bitrate: 64_000 });
    assert.deepEqual(read('codec=opus&channels=2').choice, { codec: 'opus', frameMs: 20, bitrate: 96_000 });
    assert.deepEqual(read('codec=opus&bitrate=6000&frame_ms=5').choice, {
      ...{ codec: 'opus', frameMs: 5, bitrate: 6000 },
    });
  });

  it('is a whole number of samples', () => {
    for (const rate of SAMPLE_RATES) {
      for (const ms of WIRE_FRAME_MS) {
        const isWhole = Number.isInteger((rate * ms) / 1000);
        const query = `sample_rate=${rate}&frame_ms=${ms}`;
        if (isWhole) assert.equal(read(query).choice?.frameMs, ms);
        else assert.throws(() => read(query), { code: 'ORGO_BAD_SETTING' }, query);
      }
    }
    assert.deepEqual(frameLengths(22_050, 'pcm'), [20, 40, 60, 100]);
    assert.deepEqual(frameLengths(44_100, 'opus'), [10, 20, 40, 60]);
  });

  it('is refused in words', () => {
    for (const [query, message] of [
      ...['0', '7', 'abc', '-5', '1e9', '20.0', '', '%2020', '0x14'].map(
        (value) =>
          [`frame_ms=${value}`, /^frame_ms is ".*": it must be one of 5, 10, 20, 40, 60, 100 at/] as const,
      ),
      ['frame_ms=20&frame_ms=20', /frame_ms was given 2 times/],
      ['frame_ms=5&sample_rate=22050', /must be one of 20, 40, 60, 100 at 22050 Hz with pcm$/],
      ['frame_ms=5&sample_rate=44100', /must be one of 10, 20, 40, 60, 100 at 44100 Hz with pcm$/],
      ['codec=opus&frame_ms=100', /must be one of 5, 10, 20, 40, 60 at 24000 Hz with opus$/],
      ['codec=mp3', /^codec is "mp3": it must be one of pcm, opus$/],
      ['codec=OPUS', /^codec is "OPUS"/],
      ['codec=', /^codec is ""/],
      ['codec=opus&codec=pcm', /codec was given 2 times/],
      ['bitrate=64000', /^bitrate is "64000": it must be left out, or sent with codec=opus: PCM has none$/],
      ...['5999', '510001', '64k', '-1', '6e4', '064000', '64000.0', ''].map(
        (value) => [`codec=opus&bitrate=${value}`, /^bitrate is .* from 6000 to 510000, in bit\/s$/] as const,
      ),
      ['codec=opus&bitrate=64000&bitrate=64000', /bitrate was given 2 times.*: give it once, a whole/],
    ] as const) {
      assert.throws(() => read(query), { code: 'ORGO_BAD_SETTING', message }, query);
    }
  });
});
