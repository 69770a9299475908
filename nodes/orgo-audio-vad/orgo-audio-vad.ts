/** The node that finds where someone speaks. */
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import { pcmOnly, type Transform } from '../../src/audio/transform';
import { wavHeader } from '../../src/containers/wav-header';
import { SPEECH_OUTPUTS, type SpeechSettings } from '../../src/vad/speech';
import { SpeechDetector } from '../../src/vad/speech-detector';
import { parseSettings } from '../shared/settings';
import { defineTransformNode } from '../shared/transform-node';
import { SETTINGS } from './settings';

/** Sound that a small computer's processor works off within 10 ms. */
const SLICE_MS = 500;

type State = SpeechSettings & { readonly utterance: 'wav' | 'pcm' };

interface Detecting extends Transform {
  readonly detector: SpeechDetector;
}

export = defineTransformNode<State, unknown, Detecting>({
  type: 'orgo-audio-vad',
  start: (config) => parseSettings(SETTINGS, config),
  accepts: () => ({ encodings: ['s16le', 'f32le'] }),
  outputs: SPEECH_OUTPUTS,
  sliceMs: SLICE_MS,
  create({ stream, refresh }, state) {
    const detector = new SpeechDetector(state, {
      idPrefix: `${stream}:`,
      packUtterance: state.utterance === 'wav' ? wavOf : undefined,
      onChange: refresh,
    });
    return { ...pcmOnly(detector), detector };
  },
  status({ streams }) {
    const [stream, ...others] = streams;
    const isSpeaking = streams.some(({ transform }) => transform?.detector.speaking);
    if (!stream?.format) return ['idle', 'idle'];
    if (others.length > 0) return [isSpeaking ? 'ok' : 'idle', 'streams', { count: streams.length }];
    if (isSpeaking) return ['ok', 'speech'];
    return ['idle', 'listening', { rate: stream.format.sampleRate }];
  },
});

function wavOf(frame: PcmFrame): AudioFrame {
  const data = Buffer.concat([wavHeader(frame.format, frame.samples), frame.data]);
  return { ...frame, format: { ...frame.format, encoding: 'wav' }, data };
}
