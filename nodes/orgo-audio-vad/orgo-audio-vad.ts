/** The node that finds where someone speaks. */
import type { AudioFrame, PcmFrame } from '../../src/audio/frame';
import { pcmOnly, type Transform } from '../../src/audio/transform';
import { wavHeader } from '../../src/containers/wav-header';
import { SPEECH_OUTPUTS } from '../../src/vad/speech';
import { SpeechDetector } from '../../src/vad/speech-detector';
import { defineTransformNode } from '../shared/transform-node';
import { SETTINGS } from './settings';

/** Sound that a small computer's processor works off within 10 ms. */
const SLICE_MS = 500;

interface Detecting extends Transform {
  readonly detector: SpeechDetector;
}

export = defineTransformNode({
  type: 'orgo-audio-vad',
  settings: SETTINGS,
  start: (settings) => settings,
  accepts: () => ({ encodings: ['s16le', 'f32le'] }),
  outputs: SPEECH_OUTPUTS,
  sliceMs: SLICE_MS,
  create({ stream, refresh }, settings): Detecting {
    const detector = new SpeechDetector(settings, {
      idPrefix: `${stream}:`,
      packUtterance: settings.utterance === 'wav' ? wavOf : undefined,
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
