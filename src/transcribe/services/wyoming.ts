/** Speech to text by the Wyoming protocol, over TCP: Home Assistant's, and whatever else speaks it. It has no keys by design. */
import { connect } from 'node:net';
import { asError } from '../../audio/errors';
import { networkError } from '../../network/network-error';
import { saidBy, ServiceFailure, type Named } from '../failure';
import { textAt } from '../fields';
import type { Heard } from '../heard';
import type { ServiceOptions, UtteranceService, Way } from '../service';
import { writeEvent, WyomingReader, type WyomingEvent } from '../wyoming-events';

const FORMAT = { encoding: 's16le', sampleRate: 16_000, channels: 1 } as const;
const AUDIO = { rate: FORMAT.sampleRate, width: 2, channels: FORMAT.channels };
const DEFAULT_PORT = 10_300;
/** 64 ms, as its own clients send it. */
const CHUNK_BYTES = 2048;

export const WYOMING: UtteranceService = {
  kind: 'utterance',
  name: 'wyoming',
  title: 'Wyoming, as in Home Assistant',
  addressForm: 'tcp://host:10300',
  schemes: ['tcp:'],
  needsKey: false,
  format: FORMAT,
  create: (options) => ({ transcribe: (sound, way) => ask(options, sound, way) }),
};

/** One utterance a connection: a service may close after each. */
function ask(options: ServiceOptions, sound: Buffer, { signal }: Way): Promise<Heard> {
  const { url, apiKey } = options;
  const named: Named = { url, apiKey };
  const reader = new WyomingReader();
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    });
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const fail = (failure: Error): void => end(() => reject(failure));
    const onAbort = (): void => fail(asError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => {
      for (const bytes of requestOf(options, sound)) socket.write(bytes);
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const event of reader.push(chunk)) {
          const heard = answerOf(named, event);
          if (heard) end(() => resolve(heard));
        }
      } catch (thrown) {
        fail(thrown instanceof ServiceFailure ? thrown : saidBy(named, 'nonsense', asError(thrown).message));
      }
    });
    socket.on('error', (error) =>
      fail(new ServiceFailure('failed', networkError('ORGO_SERVICE_FAILED', url, error, []).message)),
    );
    socket.on('close', () => fail(saidBy(named, 'failed', 'it closed without an answer')));
  });
}

function* requestOf({ model, language }: ServiceOptions, sound: Buffer): Iterable<Buffer> {
  yield writeEvent('transcribe', {
    ...(model !== '' && { name: model }),
    ...(language !== '' && { language }),
  });
  yield writeEvent('audio-start', { ...AUDIO, timestamp: 0 });
  const msPerByte = 1000 / (AUDIO.rate * AUDIO.width);
  for (let at = 0; at < sound.length; at += CHUNK_BYTES) {
    const timestamp = Math.round(at * msPerByte);
    yield writeEvent('audio-chunk', { ...AUDIO, timestamp }, sound.subarray(at, at + CHUNK_BYTES));
  }
  yield writeEvent('audio-stop', { timestamp: Math.round(sound.length * msPerByte) });
}

/** The words; undefined for an event that brings none. @throws ServiceFailure */
function answerOf(named: Named, { type, data }: WyomingEvent): Heard | undefined {
  if (type === 'error') throw saidBy(named, 'refused', textAt(data, 'text') ?? '');
  if (type !== 'transcript') return undefined;
  const text = textAt(data, 'text');
  if (text === undefined) throw saidBy(named, 'nonsense', 'a transcript without text');
  return { text: text.trim(), language: textAt(data, 'language') };
}
