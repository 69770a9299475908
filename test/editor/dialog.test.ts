/** What the editor takes as right, and what it saves when a dialog is closed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultsOf } from '../../editor/definition';
import { Dialog } from '../../editor/dialog';
import type { EditorNode, Field, JQuery } from '../../editor/node-red';
import { address, boolean, number, oneOf, optionalNumber, text } from '../../src/settings/setting';

const SETTINGS = {
  hangoverMs: number(300, { min: 0, max: 10_000 }),
  rate: optionalNumber({ min: 8000, max: 192_000, integer: true }),
  channels: oneOf(1, [1, 2]),
  mode: oneOf('encode', ['encode', 'decode']),
  autoStart: boolean(true),
  path: text('/audio', { check: 'url-path' }),
  apiUrl: address('https://www.orgo.ai/api', ['https:', 'http:']),
};

const node = (): EditorNode => ({ _: (key) => key });

describe("the editor's validators", () => {
  for (const [name, entry] of Object.entries(defaultsOf(SETTINGS))) {
    if (!entry.validate) continue;
    const validate = entry.validate.bind(node());
    it(`take ${name} where a flow leaves it out, or names an environment variable`, () => {
      for (const value of [undefined, null, '${ORGO_SETTING}', '$(ORGO_SETTING)']) {
        assert.equal(validate(value), true, String(value));
      }
    });
  }

  it('refuse what the run time refuses', () => {
    const { hangoverMs, path } = defaultsOf(SETTINGS);
    assert.equal(
      hangoverMs?.validate?.call(node(), ''),
      'hangoverMs is empty: it must be a number from 0 to 10000',
    );
    assert.match(String(path?.validate?.call(node(), '/a b')), /^path is "\/a b": it must begin with \//);
  });
});

describe('a dialog that is closed', () => {
  /** What is saved where the fields hold `typed`. */
  function saved(typed: Readonly<Record<string, string>>): Record<string, unknown> {
    const find = (selector: string): Field =>
      ({ val: () => typed[selector.replace('#node-input-', '')] ?? '', is: () => false }) as unknown as Field;
    const edited = node();
    new Dialog({ $: find as JQuery, settings: SETTINGS, prefix: 'node-input-' }).save(edited);
    return edited;
  }

  it('saves numbers as numbers', () => {
    const { hangoverMs, rate, channels, mode } = saved({
      hangoverMs: ' 250.5 ',
      rate: '48000',
      channels: '2',
      mode: 'decode',
    });
    assert.deepEqual([hangoverMs, rate, channels, mode], [250.5, 48_000, 2, 'decode']);
  });

  it('saves a blank number as blank, never as 0', () => {
    for (const blank of ['', '  ']) {
      const { hangoverMs, rate } = saved({ hangoverMs: blank, rate: blank });
      assert.deepEqual([hangoverMs, rate], ['', '']);
    }
  });

  it('saves what is no number as it was typed', () => {
    const { hangoverMs, rate } = saved({ hangoverMs: '${HANGOVER}', rate: '0x10' });
    assert.deepEqual([hangoverMs, rate], ['${HANGOVER}', '0x10']);
  });
});
