/** Bytes that wait for the rest of what they belong to. */

const LEAST_CAPACITY = 4096;

/** A growing buffer that is read from the front; taking in n bytes one by one costs O(n). */
export class ByteQueue {
  private memory = Buffer.alloc(0);
  private start = 0;
  private end = 0;

  /** What waits, sharing memory that the next {@link append} may move. */
  get bytes(): Buffer {
    return this.memory.subarray(this.start, this.end);
  }

  get length(): number {
    return this.end - this.start;
  }

  append(bytes: Buffer): void {
    if (this.end + bytes.length > this.memory.length) {
      const needed = this.length + bytes.length;
      const roomy = Buffer.allocUnsafe(Math.max(LEAST_CAPACITY, needed * 2));
      this.memory.copy(roomy, 0, this.start, this.end);
      this.memory = roomy;
      this.end = this.length;
      this.start = 0;
    }
    this.end += bytes.copy(this.memory, this.end);
  }

  /** Takes `count` bytes off the front. */
  skip(count: number): void {
    this.start += count;
  }

  clear(): void {
    this.memory = Buffer.alloc(0);
    this.start = 0;
    this.end = 0;
  }
}
