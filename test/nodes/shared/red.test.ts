import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { registerNode, type NodeBehaviour } from '../../../nodes/shared/red';
import { OrgoError } from '../../../src/audio/errors';
import { FakeRed, type FakeNode } from '../fake-red';

function nodeOf(build: () => NodeBehaviour): FakeNode {
  const red = new FakeRed();
  registerNode(red, 'a-node', {}, build);
  return red.create('a-node');
}

describe('a registered node', () => {
  it('calls done once for a message that it handled, now or later', async () => {
    assert.equal(await nodeOf(() => ({ onInput: () => undefined })).receive({}), undefined);
    assert.equal(await nodeOf(() => ({ onInput: () => Promise.resolve() })).receive({}), undefined);
    assert.equal(await nodeOf(() => ({})).receive({}), undefined);
  });

  it('gives done what its handler threw or rejected with', async () => {
    const error = new Error('no');
    const throws = (): never => {
      throw error;
    };
    assert.equal(await nodeOf(() => ({ onInput: throws })).receive({}), error);
    assert.equal(await nodeOf(() => ({ onInput: () => Promise.reject(error) })).receive({}), error);
  });

  it('declares the parameters that Node-RED counts', () => {
    const node = nodeOf(() => ({}));
    assert.equal(node.inputListener?.length, 3);
    assert.equal(node.closeListener?.length, 2);
  });

  it('closes even where its handler fails, and says so', async () => {
    const node = nodeOf(() => ({ onClose: () => Promise.reject(new Error('stuck')) }));
    await node.close();
    assert.deepEqual(node.errors, ['stuck']);
  });

  it('is told whether it is removed', async () => {
    const told: boolean[] = [];
    const node = nodeOf(() => ({ onClose: (removed) => void told.push(removed) }));
    await node.close(true);
    await node.close(false);
    assert.deepEqual(told, [true, false]);
  });

  it('with settings out of range says so once, in red, and answers every message with it', async () => {
    const node = nodeOf(() => {
      throw new OrgoError('ORGO_BAD_SETTING', 'port is 0');
    });
    assert.deepEqual(node.errors, ['port is 0']);
    assert.deepEqual(node.statuses, [{ fill: 'red', shape: 'ring', text: 'bad-setting' }]);
    assert.equal((await node.receive({}))?.message, 'port is 0');
    assert.equal((await node.receive({}))?.message, 'port is 0');
    assert.equal(node.errors.length, 1);
    await node.close();
  });
});
