import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatStreamQuery,
  frameSamples,
  parseStreamQuery,
  SAMPLE_RATES,
  tokenOf,
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
