/** Transforms whose output comes later than their input: a child process, a service. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { AudioFrame } from '../../../src/audio/frame';
import type { NodeTransform, TransformContext } from '../../../nodes/shared/stream-node';
import { IDLE_MS } from '../../../nodes/shared/stream-node';
import { audioOf, counting, harness, payloads, places, sound } from './harness';

/** Gives each frame back as it is, but only when the test lets it. */
class Slow implements NodeTransform {
  readonly waiting: AudioFrame[] = [];
  closed = 0;
  private room: PromiseWithResolvers<void> | undefined;
  private rest: PromiseWithResolvers<void> | undefined;

  constructor(
    private readonly context: TransformContext,
    private readonly most = Infinity,
  ) {}

  push(frame: AudioFrame): [] {
    this.waiting.push(frame);
    return [];
  }

  ready(): Promise<void> | undefined {
    if (this.waiting.length < this.most) return undefined;
    this.room = withResolvers();
    return this.room.promise;
  }

  flush(): [] {
    return [];
  }

  drained(): Promise<void> | undefined {
    if (this.waiting.length === 0) return undefined;
    this.rest = withResolvers();
    return this.rest.promise;
  }

  close(): void {
    this.closed++;
  }

  /** Emits all that waits. */
  work(): void {
    for (const frame of this.waiting.splice(0)) this.context.emit([{ output: 'audio', frame }]);
    this.room?.resolve();
    this.rest?.resolve();
  }

  break(error: Error): void {
    this.room?.reject(error);
    this.rest?.reject(error);
    if (!this.room && !this.rest) this.context.fail(error);
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function withResolvers(): PromiseWithResolvers<void> {
  let resolve = (): void => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

function rig(most?: number) {
  const transforms: Slow[] = [];
  const parts = harness({
    create: (context) => {
      const transform = new Slow(context, most);
      transforms.push(transform);
      return transform;
    },
  });
  /** Lets promises and deferred work go on. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await turn();
      parts.settle();
    }
  };
  return { ...parts, transforms, settle };
}

/** Whether `promise` has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, turn(pending)])) !== pending;
}

describe('a transform that emits later', () => {
  test('may do so after its message is done, and the message is sent like the latest one', async () => {
    const { node, transforms } = rig();
    assert.equal(await node.receive(sound(240, 0, {}, { mine: 1 })), undefined);
    assert.deepEqual(node.sent, []);
    transforms[0]!.work();
    assert.deepEqual(places(node.output(0)), [[240, 0, 0]]);
    assert.equal(node.output(0)[0]!['mine'], 1);
  });

  test('is waited for at the end: what is held comes, then the mark', async () => {
    const { node, transforms, settle } = rig();
    await node.receive(sound(240));
    const done = node.receive(sound(240, 240, {}, { complete: true }));
    const next = node.receive(sound(240, 0));
    await settle();
    assert.deepEqual([await isDone(done), await isDone(next), node.sent.length], [false, false, 0]);
    transforms[0]!.work();
    await settle();
    assert.deepEqual(await Promise.all([done, next]), [undefined, undefined]);
    const out = node.output(0);
    assert.deepEqual(payloads(out), counting(480));
    assert.deepEqual(
      out.map((msg) => msg['complete']),
      [undefined, true],
    );
    assert.deepEqual(
      [transforms.length, transforms[0]!.closed],
      [2, 1],
      'what came after it is a new stream',
    );
  });

  test('is waited for at a border: the formats do not mix', async () => {
    const { node, transforms, settle } = rig();
    await node.receive(sound(240));
    const other = node.receive(sound(160, 0, { sampleRate: 16000 }));
    await settle();
    assert.equal(transforms.length, 1);
    transforms[0]!.work();
    await settle();
    assert.equal(await other, undefined);
    assert.equal(transforms.length, 2);
    transforms[1]!.work();
    assert.deepEqual(
      node.output(0).map((msg) => audioOf(msg).sampleRate),
      [24000, 16000],
    );
  });

  test('holds its own stream back while it has no room, and no other', async () => {
    const { node, transforms, settle } = rig(2);
    await node.receive(sound(240));
    const full = node.receive(sound(240, 240));
    const after = node.receive(sound(240, 480));
    const other = node.receive(sound(240, 0, { stream: 'other' }));
    await settle();
    assert.equal(await other, undefined);
    assert.deepEqual([await isDone(full), await isDone(after)], [false, false]);
    assert.equal(transforms[0]!.waiting.length, 2);
    transforms[0]!.work();
    await settle();
    assert.deepEqual(await Promise.all([full, after]), [undefined, undefined]);
    transforms[0]!.work();
    assert.deepEqual(payloads(node.output(0)), counting(720));
  });

  test('answers the message that waits for it with its failure, and goes on', async () => {
    const { node, transforms, settle } = rig(2);
    await node.receive(sound(240));
    const full = node.receive(sound(240, 240));
    await settle();
    transforms[0]!.break(new Error('the child is gone'));
    await settle();
    assert.equal((await full)?.message, 'the child is gone');
    assert.deepEqual(node.errors, []);
  });

  test('reports a failure for which nothing waits, and is made anew', async () => {
    const { node, transforms } = rig();
    await node.receive(sound(240));
    transforms[0]!.break(new Error('the child is gone'));
    assert.deepEqual([node.errors, transforms[0]!.closed], [['the child is gone'], 1]);
    transforms[0]!.work();
    assert.deepEqual(node.sent, [], 'what comes after its end is dropped');
    await node.receive(sound(240, 240));
    assert.equal(transforms.length, 2);
  });

  test('is waited for when the stream ends by idleness, and when the node closes', async () => {
    for (const end of ['idle', 'closed']) {
      const { node, clock, transforms, settle } = rig();
      await node.receive(sound(240));
      let closing: Promise<void> | undefined;
      if (end === 'idle') clock.advance(IDLE_MS);
      else closing = node.close();
      await settle();
      if (closing) assert.equal(await isDone(closing), false);
      transforms[0]!.work();
      await settle();
      await closing;
      const last = node.output(0).at(-1)!;
      assert.deepEqual(payloads(node.output(0)), counting(240));
      assert.deepEqual([last['complete'], audioOf(last).reason], [true, end]);
      assert.equal(transforms[0]!.closed, 1);
    }
  });
});
