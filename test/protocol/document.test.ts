/** docs/protocol.md says what the code does: its tables, read and compared. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { closeError } from '../../src/client/close-error';
import { reactionTo, type Reaction } from '../../src/client/reaction';
import { CloseCode, MAX_MESSAGE_BYTES, ProxyCloseCode } from '../../src/protocol/close-codes';
import { CAPTURE_FAILED_TEXT, parseClientMessage, parseServerMessage } from '../../src/protocol/messages';
import {
  DEFAULT_CHANNELS,
  DEFAULT_SAMPLE_RATE,
  CODECS,
  formatStreamQuery,
  frameLengths,
  frameSamples,
  parseStreamQuery,
  WIRE_FRAME_MS,
  SAMPLE_RATES,
} from '../../src/protocol/stream-format';
import { HOSTED_API_URL, HOSTED_AUDIO_URL, routeOf } from '../../src/protocol/urls';

const PAGE = readFileSync(join(__dirname, '..', '..', 'docs', 'protocol.md'), 'utf8');

/** How the page words each reaction. */
const WORDS: Readonly<Record<Reaction, string>> = {
  retry: 'retry',
  'retry-now': 'at once, where the stream had lasted 5 s; else retry',
  'retry-slowly': 'retry slowly',
  'renew-token': 'renew, then retry slowly',
  'renew-address': 'renew, then never',
  never: 'never',
};

/** The cells of every row of the table whose header begins with `header`. */
function table(header: string): string[][] {
  const lines = PAGE.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${header} |`));
  assert.ok(start >= 0, `no table begins with ${header}`);
  const rows = lines.slice(start + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The longest packet. */
const OPUS_FRAME_MS = frameLengths(48_000, 'opus').at(-1);

describe('docs/protocol.md', () => {
  it('lists every close code, and what our client does about it', () => {
    const rows = table('code').map(([code, , reaction]) => [Number(code), reaction]);
    const codes = [...Object.values(CloseCode), ...Object.values(ProxyCloseCode)];
    const expected = codes
      .toSorted((a, b) => a - b)
      .map((code) => [code, WORDS[reactionTo(closeError(code, '', 'ws://a/'), code)]]);
    assert.deepEqual(rows, expected);
  });

  it('lists what the query may ask for, with the defaults', () => {
    const rows = new Map(table('parameter').map(([name, ...cells]) => [name, cells]));
    assert.equal(rows.get('`sample_rate`')?.[0], SAMPLE_RATES.join(' · '));
    assert.equal(rows.get('`sample_rate`')?.[1], String(DEFAULT_SAMPLE_RATE));
    assert.equal(rows.get('`channels`')?.[1], String(DEFAULT_CHANNELS));
    assert.equal(rows.get('`codec`')?.[0], CODECS.join(' · '));
    assert.equal(
      rows.get('`frame_ms`')?.[0],
      `${WIRE_FRAME_MS.join(' · ')}, with Opus up to ${OPUS_FRAME_MS}`,
    );
    for (const channels of rows.get('`channels`')?.[0]?.split(' · ') ?? []) {
      const { format } = parseStreamQuery(new URLSearchParams({ channels }));
      assert.equal(format.channels, Number(channels));
    }
    const format = { encoding: 's16le', sampleRate: 8000, channels: 1 } as const;
    const choice = { codec: 'opus', frameMs: 5, bitrate: 64_000 } as const;
    const asked = new URLSearchParams(formatStreamQuery({ token: 't', format, choice, clock: true }));
    assert.deepEqual(
      [...asked.keys()].map((name) => `\`${name}\``),
      [...rows.keys()],
    );
  });

  it('shows messages that both ends read', () => {
    const texts = table('direction').flatMap(([direction, cell = '']) => {
      const [, text] = /^`(\{.*\})`$/.exec(cell) ?? [];
      return text === undefined ? [] : [{ direction, text }];
    });
    assert.equal(texts.length, 6);
    for (const { direction, text } of texts) {
      const read = direction === 'server → client' ? parseServerMessage(text) : parseClientMessage(text);
      assert.equal(JSON.stringify(read), text);
    }
    assert.ok(texts.some(({ text }) => text.includes(CAPTURE_FAILED_TEXT)));
    const [, example = ''] = /```json\n(.*)\n```/.exec(PAGE) ?? [];
    assert.equal(parseServerMessage(example)?.type, 'clock');
    assert.ok(PAGE.includes(`(${frameSamples(DEFAULT_SAMPLE_RATE) * 2} bytes at 24 kHz mono)`));
    assert.ok(PAGE.includes(`a message of more than ${MAX_MESSAGE_BYTES} bytes`));
  });

  it('names the paths and addresses that the code has', () => {
    const paths = [...PAGE.matchAll(/`(?:GET )?(\/[^`?]+)(?=`)/g)].map(([, path = '']) => path);
    const routes = paths.map((path) => routeOf(path.replace(/\{.*?\}/, 'desk'), '/audio')?.kind);
    for (const kind of ['desktop-audio', 'computer', 'password'] as const)
      assert.ok(routes.includes(kind), kind);
    assert.ok(PAGE.includes(`\`${HOSTED_AUDIO_URL}\``));
    assert.ok(PAGE.includes(`\`GET ${HOSTED_API_URL}/computers/{id}\``));
  });
});
