/** Events of the Wyoming protocol (https://github.com/OHF-Voice/wyoming): a JSON line, then JSON data, then bytes. */
import { parseObject } from '../protocol/json';
import { numberAt, objectAt, textAt, type Fields } from './fields';

/** A line, or the data after it, is never longer. */
const MAX_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

export interface WyomingEvent {
  readonly type: string;
  readonly data: Fields;
}

/** The bytes of an event. */
export function writeEvent(type: string, data: object, payload: Buffer = Buffer.alloc(0)): Buffer {
  const json = Buffer.from(JSON.stringify(data));
  const header = {
    ...{ type, version: '1.5.0', data_length: json.length },
    ...(payload.length > 0 && { payload_length: payload.length }),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), json, payload]);
}

/** Reads events from a connection, however they are cut. */
export class WyomingReader {
  private bytes: Buffer = Buffer.alloc(0);

  /** @throws Error where it is not the protocol */
  push(chunk: Buffer): WyomingEvent[] {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    const events: WyomingEvent[] = [];
    for (let event = this.next(); event; event = this.next()) events.push(event);
    if (this.bytes.length > 2 * MAX_BYTES) throw new Error('an event that does not end');
    return events;
  }

  private next(): WyomingEvent | undefined {
    const end = this.bytes.indexOf(NEWLINE);
    if (end < 0) return undefined;
    const header = parseObject(this.bytes.toString('utf8', 0, end));
    const type = header && textAt(header, 'type');
    if (!header || type === undefined) throw new Error(this.bytes.toString('utf8', 0, Math.min(end, 100)));
    const [dataLength, payloadLength] = [lengthOf(header, 'data_length'), lengthOf(header, 'payload_length')];
    const dataStart = end + 1;
    const whole = dataStart + dataLength + payloadLength;
    if (this.bytes.length < whole) return undefined;
    const data = this.bytes.toString('utf8', dataStart, dataStart + dataLength);
    this.bytes = this.bytes.subarray(whole);
    // Older ones have their data in the line itself.
    return { type, data: { ...objectAt(header, 'data'), ...parseObject(data) } };
  }
}

function lengthOf(header: Fields, name: string): number {
  const length = numberAt(header, name) ?? 0;
  if (Number.isInteger(length) && length >= 0 && length <= MAX_BYTES) return length;
  throw new Error(`${name} is ${length}`);
}
