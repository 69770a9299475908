/** One stream's speech as products of the node: gated sound, utterances, events. */
import type { PcmFormat } from '../../src/audio/format';
import { isPcmFrame, type AudioFrame, type PcmFrame } from '../../src/audio/frame';
import { wavHeader } from '../../src/containers/wav-header';
import { SpeechDetector } from '../../src/vad/speech-detector';
import type { SpeechOutput, SpeechSettings } from '../../src/vad/speech';
import type { Product, StreamProcessor } from '../shared/stream-node';

/** Indices of the node's outputs. */
const AUDIO = 0;
const UTTERANCES = 1;
const EVENTS = 2;

const NOTHING = Buffer.alloc(0);

export interface SpeechProcessorOptions {
  readonly settings: SpeechSettings;
  /** What utterances are sent as. */
  readonly utterance: 'wav' | 'pcm';
  readonly format: PcmFormat;
  /** Name of the stream. */
  readonly stream: string;
  /** Called when speech begins or is over. */
  readonly onChange: () => void;
}

export class SpeechProcessor implements StreamProcessor {
  /** Whether someone speaks. */
  speaking = false;
  private readonly detector: SpeechDetector;
  private latencyMs = 0;

  constructor(private readonly options: SpeechProcessorOptions) {
    const { settings, stream } = options;
    this.detector = new SpeechDetector(settings, { idPrefix: `${stream}:` });
  }

  push(frame: AudioFrame): Product[] {
    if (!isPcmFrame(frame)) return [];
    this.latencyMs = frame.latencyMs;
    return this.products(this.detector.push(frame));
  }

  flush(): Product[] {
    return this.products(this.detector.flush());
  }

  close(): void {
    this.detector.close();
    this.speak(false);
  }

  private products(outputs: readonly SpeechOutput[]): Product[] {
    return outputs.map((output) => this.product(output));
  }

  private product(output: SpeechOutput): Product {
    switch (output.kind) {
      case 'audio': {
        const { frame, speech } = output;
        return { output: AUDIO, frame, properties: speech && { speech } };
      }
      case 'utterance': {
        const { frame, speech } = output;
        const packed = this.options.utterance === 'wav' ? wavFrame(frame) : frame;
        return { output: UTTERANCES, frame: packed, properties: { speech } };
      }
      case 'event':
        return this.event(output);
    }
  }

  private event(output: Extract<SpeechOutput, { kind: 'event' }>): Product {
    const { event, position, time } = output;
    const { latencyMs } = this;
    const place = { format: this.options.format, data: NOTHING, samples: 0, gap: 0, latencyMs };
    const product = { output: EVENTS, frame: { ...place, position, time } };
    if (output.event === 'probability') {
      return { ...product, event: { event, probability: output.probability } };
    }
    const { speech } = output;
    this.speak(output.event === 'speech-start');
    return { ...product, event: { event, ...speech }, properties: { speech } };
  }

  private speak(speaking: boolean): void {
    if (this.speaking === speaking) return;
    this.speaking = speaking;
    this.options.onChange();
  }
}

function wavFrame(frame: PcmFrame): AudioFrame<'wav'> {
  const data = Buffer.concat([wavHeader(frame.format, frame.samples), frame.data]);
  return { ...frame, format: { ...frame.format, encoding: 'wav' }, data };
}
