import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { redact } from '../../src/network/redact';

describe('redact', () => {
  it('strikes a secret out, plain and encoded for a URL', () => {
    assert.equal(redact('a b, a%20b and a+b', ['a b']), '***, *** and a+b');
    assert.equal(redact('nothing', ['']), 'nothing');
  });

  it('strikes out a secret that holds half of a character, as it is and as it was sent', () => {
    assert.equal(redact('x\ud800y x\ufffdy x%EF%BF%BDy', ['x\ud800y']), '*** *** ***');
  });

  it('leaves one line of at most 200 characters', () => {
    assert.equal(redact('a\r\n\u0000b\u2028c', []), 'a b c');
    assert.equal(redact('x'.repeat(300), []).length, 201);
  });

  it('never throws, and leaves no half of a character', () => {
    const any = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    });
    fc.assert(
      fc.property(any, fc.array(any, { maxLength: 3 }), (text, secrets) => {
        encodeURIComponent(redact(text, secrets));
      }),
    );
  });
});
