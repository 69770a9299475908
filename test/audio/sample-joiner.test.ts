import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SampleJoiner } from '../../src/audio/sample-joiner';

describe('SampleJoiner', () => {
  it('passes whole samples on as they are', () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    assert.equal(new SampleJoiner().push(bytes, 2), bytes);
  });

  it('gives the same bytes however they are cut, each time whole samples', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 9 }));
    fc.assert(
      fc.property(pieces, fc.constantFrom(2, 4, 8), (cut, size) => {
        const joiner = new SampleJoiner();
        const out = cut.map((piece) => joiner.push(Buffer.from(piece), size));
        const all = Buffer.concat(cut);
        assert.ok(out.every(({ length }) => length % size === 0));
        assert.deepEqual(Buffer.concat(out), all.subarray(0, all.length - (all.length % size)));
        assert.equal(joiner.holds, all.length % size > 0);
      }),
    );
  });

  it('forgets what waits when it is told to, and keeps no hold of the memory it came in', () => {
    const joiner = new SampleJoiner();
    const bytes = Buffer.from([1, 2, 3]);
    joiner.push(bytes, 2);
    bytes.fill(9);
    assert.deepEqual(joiner.push(Buffer.from([4]), 2), Buffer.from([3, 4]));
    joiner.push(Buffer.from([5]), 2);
    joiner.clear();
    assert.equal(joiner.holds, false);
    assert.equal(joiner.push(Buffer.from([6]), 2).length, 0);
  });
});
