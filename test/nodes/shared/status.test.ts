import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { StatusLine } from '../../../nodes/shared/status';
import { FakeClock } from '../fake-clock';
import { FakeNode, FakeRed } from '../fake-red';

describe('the status line', () => {
  let clock: FakeClock;
  let node: FakeNode;
  let line: StatusLine;

  beforeEach(() => {
    clock = new FakeClock();
    node = new FakeNode();
    node.type = 'orgo-audio-in';
    line = new StatusLine(new FakeRed(), node, clock);
  });

  it('shows the first status at once, in the colours of core', () => {
    line.show('ok', 'connected');
    assert.deepEqual(node.statuses, [{ fill: 'green', shape: 'dot', text: 'connected' }]);
  });

  it('shows at most four in any second, and always the last', () => {
    const shownAt: number[] = [];
    node.on('status', () => shownAt.push(clock.now()));
    for (let i = 0; i <= 300; i++) {
      line.show('ok', `rate ${i}`);
      clock.advance(10);
    }
    clock.advance(1000);
    for (const at of shownAt)
      assert.ok(shownAt.filter((other) => other >= at && other < at + 1000).length <= 4);
    assert.equal(node.lastStatus?.text, 'rate 300');
  });

  it('does not repeat what is shown already', () => {
    line.show('ok', 'connected');
    clock.advance(1000);
    line.show('ok', 'connected');
    assert.equal(node.statuses.length, 1);
  });

  it('stays below 20 characters', () => {
    line.show('error', 'x'.repeat(40));
    assert.equal(node.lastStatus?.text?.length, 19);
  });

  it('leaves no timer behind', () => {
    line.show('ok', 'one');
    line.show('ok', 'two');
    assert.equal(clock.pending, 1);
    line.close();
    line.close();
    assert.equal(clock.pending, 0);
    assert.deepEqual(node.lastStatus, {});
  });
});
