/** Many cheap WebSocket listeners in one process: they parse frames, answer pings, and note when sound arrived. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const OPCODE_BINARY = 2;
const OPCODE_PING = 9;
const MASKED_PONG = 0x8a;
const MASK_BIT = 0x80;

export class LoadClient {
  /** Binary frames that arrived. */
  frames = 0;
  /** Their payload, bytes. */
  bytes = 0;
  /** When each arrived, on performance's clock; kept only where asked for. */
  readonly arrivals: number[] = [];
  private rest: Buffer = Buffer.alloc(0);

  private constructor(
    readonly socket: Socket,
    private readonly keepArrivals: boolean,
  ) {
    socket.on('data', (chunk: Buffer) => this.parse(chunk));
  }

  static async connect(port: number, path: string, keepArrivals = false): Promise<LoadClient> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16, 1).toString('base64')}\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    const end = answer.indexOf('\r\n\r\n');
    if (!answer.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101')) || end < 0) {
      throw new Error(`no WebSocket: ${answer.subarray(0, 60).toString()}`);
    }
    const listener = new LoadClient(socket, keepArrivals);
    listener.parse(answer.subarray(end + 4));
    return listener;
  }

  private parse(chunk: Buffer): void {
    let data = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    for (;;) {
      const long = (data[1] ?? 0) === 126;
      const header = long ? 4 : 2;
      if (data.length < header) break;
      const length = long ? data.readUInt16BE(2) : (data[1] ?? 0);
      if (data.length < header + length) break;
      this.take((data[0] ?? 0) & 0x0f, data.subarray(header, header + length));
      data = data.subarray(header + length);
    }
    this.rest = data;
  }

  private take(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE_BINARY) {
      this.frames++;
      this.bytes += payload.length;
      if (this.keepArrivals) this.arrivals.push(performance.now());
    } else if (opcode === OPCODE_PING) {
      // A mask of zeros leaves the payload as it is.
      this.socket.write(
        Buffer.concat([Buffer.from([MASKED_PONG, MASK_BIT | payload.length, 0, 0, 0, 0]), payload]),
      );
    }
  }
}
