/** Opus encoders and decoders in the harness of streams, and the status that shows the library at work. */
import type { AudioFormat } from '../../src/audio/format';
import { ContainerDecoder } from '../../src/containers/container-decoder';
import { OpusDecoder, type OpusDecoderOptions } from '../../src/opus/decoder';
import type { OpusLibrary } from '../../src/opus/library';
import { OggWriter } from '../../src/containers/ogg-writer';
import type { OpusEncoderSettings } from '../../src/opus/settings';
import type { Message, NodeBehaviour, NodeConfig, Red, RedNode, Send } from '../shared/red';
import { StatusLine } from '../shared/status';
import {
  processorOf,
  StreamNode,
  type Stream,
  type StreamProcessor,
  type Surroundings,
} from '../shared/stream-node';
import type { Accepted } from '../shared/messages/message-reader';
import { EncodeProcessor } from './encode-processor';
import { changedBy, readSettings, type OpusNodeSettings } from './settings';

/** Sound that is encoded in one go: 10 frames of 20 ms take 2 ms, on a small computer 10. */
const SLICE_MS = 200;

export class AudioOpus implements NodeBehaviour {
  private readonly status: StatusLine;
  private readonly harness: StreamNode<OpusEncoderSettings>;
  private readonly settings: OpusNodeSettings;
  private encoder: OpusEncoderSettings;
  private readonly libraryWord: string;
  private streams: ReadonlySet<Stream<OpusEncoderSettings>> = new Set();

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(
    RED: Red,
    node: RedNode,
    config: NodeConfig,
    surroundings: Surroundings,
    private readonly library: OpusLibrary,
  ) {
    this.settings = readSettings(config);
    this.encoder = this.settings.encoder;
    const word = library.name === '@discordjs/opus' ? 'native' : 'wasm';
    this.libraryWord = RED._(`${node.type}.library.${word}`);
    this.status = new StatusLine(RED, node, surroundings.clock);
    this.harness = new StreamNode(
      node,
      {
        accepted: acceptedBy(this.settings),
        sliceMs: SLICE_MS,
        settings: () => this.encoder,
        create: (format) => this.processor(format),
        onChange: (streams) => this.show(streams),
        onRefused: () => this.status.show('error', 'bad-input'),
      },
      surroundings,
    );
    this.show(this.streams);
  }

  onInput(msg: Message, send: Send): void | Promise<void> {
    if (this.settings.node.mode === 'encode' && this.configure(msg)) return undefined;
    return this.harness.onInput(msg, send);
  }

  onClose(): void {
    this.harness.onClose();
    this.status.close();
  }

  /** Takes what `msg.opus` changes; whether the message was for that alone. */
  private configure(msg: Message): boolean {
    const changed = changedBy(msg, this.encoder);
    if (changed !== this.encoder) {
      this.encoder = changed;
      this.show(this.streams);
    }
    if (msg['opus'] === undefined || msg['opus'] === null) return false;
    return !Buffer.isBuffer(msg.payload) && msg['reset'] === undefined && msg['complete'] !== true;
  }

  private processor(format: AudioFormat): StreamProcessor<OpusEncoderSettings> {
    const { mode, container, sampleRate, channels, encoding } = this.settings.node;
    const { library } = this;
    if (mode === 'encode') {
      if (format.encoding === 'opus') return processorOf(new OggWriter());
      return new EncodeProcessor(container, library);
    }
    const options: OpusDecoderOptions = {
      ...{ sampleRate, encoding, library },
      channels: channels === '' ? undefined : channels,
    };
    const Decoder = format.encoding === 'opus' ? OpusDecoder : ContainerDecoder;
    return processorOf(new Decoder(options));
  }

  private show(streams: ReadonlySet<Stream<OpusEncoderSettings>>): void {
    this.streams = streams;
    const { mode, sampleRate } = this.settings.node;
    const library = this.libraryWord;
    if (streams.size === 0) this.status.show('idle', 'idle', { library });
    else if (streams.size > 1) this.status.show('ok', 'streams', { library, count: streams.size });
    else if (mode === 'decode') this.status.show('ok', 'decode', { library, rate: sampleRate });
    else this.status.show('ok', 'encode', { library, kbits: Math.round(this.encoder.bitrate / 1000) });
  }
}

function acceptedBy({ node, input }: OpusNodeSettings): Accepted {
  if (node.mode === 'decode') return { settings: input, encodings: ['opus', 'ogg', 'webm'] };
  // Packets that are Opus already are put into Ogg as they are.
  return {
    settings: input,
    encodings: ['s16le', 'f32le', ...(node.container === 'ogg' ? ['opus' as const] : [])],
  };
}
