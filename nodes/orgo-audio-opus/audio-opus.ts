/** Opus encoders and decoders as transforms of a node, and the status that shows the library at work. */
import type { AudioFormat } from '../../src/audio/format';
import { AUDIO_OUTPUT, pcmOnly, toOutput, type Transform } from '../../src/audio/transform';
import type { AudioFrame } from '../../src/audio/frame';
import { ContainerDecoder } from '../../src/containers/container-decoder';
import { OpusDecoder } from '../../src/opus/decoder';
import { OpusEncoder } from '../../src/opus/encoder';
import type { OpusLibrary } from '../../src/opus/library';
import { OggEncoder } from '../../src/containers/ogg-encoder';
import { OggWriter } from '../../src/containers/ogg-writer';
import { ENCODER_SETTINGS, type OpusEncoderSettings } from '../../src/opus/settings';
import type { Message } from '../shared/red';
import type { NodeTransform } from '../shared/stream-node';
import { defineTransformNode } from '../shared/transform-node';
import type { Accepted } from '../shared/messages/message-reader';
import { parseSettings } from '../shared/settings';
import { changedBy, SETTINGS, type OpusNodeSettings } from './settings';

/** Sound that is encoded in one go: 10 frames of 20 ms take 2 ms, on a small computer 10. */
const SLICE_MS = 200;

interface State {
  readonly settings: OpusNodeSettings;
  /** The encoder's settings as they are now. */
  encoder: OpusEncoderSettings;
  readonly library: OpusLibrary;
  readonly libraryWord: string;
}

/** @param library called once a node */
export function opusNode(library: () => OpusLibrary): ReturnType<typeof defineTransformNode> {
  return defineTransformNode({
    type: 'orgo-audio-opus',
    settings: SETTINGS,
    start(settings, text): State {
      const chosen = library();
      const word = chosen.name === '@discordjs/opus' ? 'native' : 'wasm';
      const encoder = parseSettings(ENCODER_SETTINGS, settings);
      return { settings, encoder, library: chosen, libraryWord: text(`library.${word}`) };
    },
    accepts: acceptedBy,
    sliceMs: SLICE_MS,
    live: ({ encoder }) => encoder,
    onMessage: (msg, state) => state.settings.mode === 'encode' && configure(msg, state),
    create({ format, live }, state) {
      if (state.settings.mode === 'decode') return decoder(format, state);
      return format.encoding === 'opus' ? toOutput(new OggWriter()) : encoder(live, state);
    },
    status({ state, streams }) {
      const { mode, sampleRate: rate } = state.settings;
      const { libraryWord: library } = state;
      if (streams.length === 0) return ['idle', 'idle', { library }];
      if (streams.length > 1) return ['ok', 'streams', { library, count: streams.length }];
      if (mode === 'decode') return ['ok', 'decode', { library, rate }];
      return ['ok', 'encode', { library, kbits: Math.round(state.encoder.bitrate / 1000) }];
    },
  });
}

/** Takes what `msg.opus` changes; whether the message was for that alone. */
function configure(msg: Message, state: State): boolean {
  state.encoder = changedBy(msg, state.encoder);
  if (msg['opus'] === undefined || msg['opus'] === null) return false;
  return !Buffer.isBuffer(msg.payload) && msg['reset'] === undefined && msg['complete'] !== true;
}

function encoder(
  live: OpusEncoderSettings,
  { settings: { container }, library }: State,
): NodeTransform<OpusEncoderSettings> {
  const Encoder = container === 'ogg' ? OggEncoder : OpusEncoder;
  const inner = new Encoder(live, library);
  return {
    ...toOutput(pcmOnly<AudioFrame>(inner)),
    configure: (changed) => inner.configure(changed).map((frame) => ({ output: AUDIO_OUTPUT, frame })),
  };
}

function decoder(format: AudioFormat, { settings, library }: State): Transform {
  const { sampleRate, channels, encoding } = settings;
  const Decoder = format.encoding === 'opus' ? OpusDecoder : ContainerDecoder;
  return toOutput(new Decoder({ sampleRate, channels, encoding, library }));
}

function acceptedBy({ settings: { mode, container } }: State): Omit<Accepted, 'settings'> {
  if (mode === 'decode') return { encodings: ['opus', 'ogg', 'webm'] };
  // Packets that are Opus already are put into Ogg as they are.
  return {
    encodings: ['s16le', 'f32le', ...(container === 'ogg' ? ['opus' as const] : [])],
  };
}
