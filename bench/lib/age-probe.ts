/** A listener that asks for the server's clock, and notes how old each frame's first sample is when it arrives. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { parseServerMessage } from '../../src/protocol/messages';

export class AgeProbe {
  private ages: number[] = [];
  /** Capture time of the next frame's first sample, epoch ms. */
  private nextTime: number | undefined;

  private constructor(
    private readonly socket: WebSocket,
    frameMs: number,
  ) {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (isBinary) {
        if (this.nextTime === undefined) return;
        this.ages.push(performance.timeOrigin + performance.now() - this.nextTime);
        this.nextTime += frameMs;
        return;
      }
      const message = parseServerMessage(data.toString());
      if (message?.type === 'clock') this.nextTime = message.time;
    });
  }

  /** @param path with its query */
  static async connect(port: number, path: string, frameMs: number): Promise<AgeProbe> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}&clock=1`, { perMessageDeflate: false });
    const probe = new AgeProbe(socket, frameMs);
    await once(socket, 'open');
    return probe;
  }

  /** Forgets what it noted. */
  reset(): void {
    this.ages = [];
  }

  /** Leaves. @returns ages in ms */
  close(): readonly number[] {
    this.socket.close();
    return this.ages;
  }
}
