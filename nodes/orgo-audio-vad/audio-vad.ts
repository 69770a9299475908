/** Speech detectors in the harness of streams, with their settings and the status that shows who speaks. */
import { OrgoError } from '../../src/audio/errors';
import { isPcm, type AudioFormat } from '../../src/audio/format';
import type { SpeechSettings } from '../../src/vad/speech';
import { INPUT_SETTINGS } from '../shared/audio-description';
import type { Message, NodeBehaviour, NodeConfig, Red, RedNode, Send } from '../shared/red';
import { parseSettings } from '../shared/settings';
import { StatusLine } from '../shared/status';
import { StreamNode, type Stream, type Surroundings } from '../shared/stream-node';
import { SPEECH_SETTINGS } from './settings';
import { SpeechProcessor } from './speech-processor';

/** Sound that a small computer's processor works off within 10 ms. */
const SLICE_MS = 500;

export class AudioVad implements NodeBehaviour {
  private readonly status: StatusLine;
  private readonly harness: StreamNode;
  private readonly settings: SpeechSettings;
  private readonly utterance: 'wav' | 'pcm';
  private streams: ReadonlySet<Stream> = new Set();

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(RED: Red, node: RedNode, config: NodeConfig, surroundings: Surroundings) {
    const { utterance, ...settings } = parseSettings(SPEECH_SETTINGS, config);
    this.settings = settings;
    this.utterance = utterance;
    this.status = new StatusLine(RED, node, surroundings.clock);
    this.harness = new StreamNode(
      node,
      {
        accepted: { settings: parseSettings(INPUT_SETTINGS, config), encodings: ['s16le', 'f32le'] },
        outputs: 3,
        sliceMs: SLICE_MS,
        create: (format, stream) => this.processor(format, stream),
        onChange: (streams) => {
          this.streams = streams;
          this.show();
        },
        onRefused: () => this.status.show('error', 'bad-input'),
      },
      surroundings,
    );
    this.show();
  }

  onInput(msg: Message, send: Send): void | Promise<void> {
    return this.harness.onInput(msg, send);
  }

  onClose(): void {
    this.harness.onClose();
    this.status.close();
  }

  private processor(format: AudioFormat, stream: string): SpeechProcessor {
    if (!isPcm(format)) {
      throw new OrgoError('ORGO_BAD_INPUT', `The sound that came is ${format.encoding}: PCM is wanted`);
    }
    const { settings, utterance } = this;
    return new SpeechProcessor({ settings, utterance, format, stream, onChange: () => this.show() });
  }

  private show(): void {
    const [stream] = this.streams;
    const count = this.streams.size;
    const speaking = [...this.streams].some(isSpeaking);
    if (!stream?.format) this.status.show('idle', 'idle');
    else if (count > 1) this.status.show(speaking ? 'ok' : 'idle', 'streams', { count });
    else if (speaking) this.status.show('ok', 'speech');
    else this.status.show('idle', 'listening', { rate: stream.format.sampleRate });
  }
}

function isSpeaking({ processor }: Stream): boolean {
  return processor instanceof SpeechProcessor && processor.speaking;
}
