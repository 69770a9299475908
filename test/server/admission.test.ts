import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge, MAX_CHOICES, type RequestFacts } from '../../src/server/admission';

const FACTS: RequestFacts = {
  route: { kind: 'desktop-audio', computerId: 'desk' },
  originAllowed: true,
  tokenMatches: true,
  query: new URLSearchParams('token=x&sample_rate=48000&clock=1'),
  computerId: 'desk',
  running: true,
  listeners: 3,
  maxListeners: 4,
  choices: () => new Set(),
  hasOpus: () => true,
};
const CHOSEN = (query: string): Partial<RequestFacts> => ({ query: new URLSearchParams(`token=x&${query}`) });
const WRONG: readonly (readonly [string, Partial<RequestFacts>])[] = [
  ['refuse 404', { route: { kind: 'computer', computerId: 'desk' } }],
  ['refuse 403', { originAllowed: false }],
  ['wrong-token', { tokenMatches: false }],
  ['close 4404', { computerId: 'other' }],
  ['close 4400', { query: new URLSearchParams('sample_rate=1') }],
  ['close 1013', { listeners: 4 }],
];

function verdict(facts: Partial<RequestFacts>): string {
  const judged = judge({ ...FACTS, ...facts });
  switch (judged.kind) {
    case 'refuse':
      return `refuse ${judged.status}`;
    case 'close':
      return `close ${judged.code}`;
    case 'wrong-token':
    case 'admit':
      return judged.kind;
  }
}

describe('admission', () => {
  it('admits, with what was asked for', () => {
    const judged = judge(FACTS);
    assert.equal(judged.kind, 'admit');
    assert.equal(judged.stream.format.sampleRate, 48_000);
    assert.equal(judged.clock, true);
    assert.equal(verdict({ route: { kind: 'audio' }, computerId: 'other' }), 'admit');
    assert.equal(verdict({ computerId: '' }), 'admit');
  });

  it('names the first thing that is wrong: path, origin, token, computer, parameter, room', () => {
    WRONG.forEach(([expected, facts], i) => {
      assert.equal(verdict(facts), expected);
      // Whatever is wrong besides it, the earlier one is what is said.
      const all = Object.assign(
        {},
        ...WRONG.slice(i)
          .reverse()
          .map(([, more]) => more),
      ) as typeof facts;
      if (i > 0) assert.equal(verdict(all), expected);
    });
    assert.equal(verdict({ route: undefined }), 'refuse 404');
    assert.equal(verdict({ running: false }), 'close 4404');
    assert.equal(verdict({ running: false, tokenMatches: false }), 'wrong-token');
  });

  it('makes no more than 16 streams beyond the document’s at once', () => {
    const others = new Set(Array.from({ length: MAX_CHOICES }, (_, i) => `choice ${i}`));
    const choices = (): Set<string> => others;
    assert.equal(verdict({ ...CHOSEN('frame_ms=5'), choices }), 'close 1013');
    assert.equal(verdict({ ...CHOSEN('codec=opus'), choices }), 'close 1013');
    for (const documented of ['', 'frame_ms=20', 'codec=pcm', 'sample_rate=44100&channels=2']) {
      assert.equal(verdict({ ...CHOSEN(documented), choices }), 'admit', documented);
    }
    others.delete('choice 0');
    assert.equal(verdict({ ...CHOSEN('frame_ms=5'), choices }), 'admit');
    others.add('24000 Hz mono s16le, 5 ms');
    assert.equal(verdict({ ...CHOSEN('frame_ms=5'), choices }), 'admit', 'it is made already');
  });

  it('sends PCM of the same frame length where no Opus library loads', () => {
    const judged = judge({ ...FACTS, ...CHOSEN('codec=opus&frame_ms=60'), hasOpus: () => false });
    assert.equal(judged.kind, 'admit');
    assert.deepEqual(judged.stream.started, {
      ...{ type: 'started', sample_rate: 24_000, channels: 1, frame_ms: 60 },
    });
    assert.equal(judged.stream.bitrate, undefined);
  });
});
