/** Turns ffmpeg's output, a WAV stream, into frames of one length, trimmed to the length that the file states. */
import { bytesPerSample, msOfSamples, samplesInMs, type PcmFormat } from '../audio/format';
import { samplesIn, sliceFrame, type PcmFrame } from '../audio/frame';
import { Framer } from '../audio/framer';
import { SampleJoiner } from '../audio/sample-joiner';
import { parseWavHeader } from '../containers/wav-header';
import type { ExactLength } from './mpeg-audio';

/** Codecs pad by less: three MP3 frames at the lowest rate are 216 ms. */
const MAX_PADDING_MS = 250;

/** What is known of the sound once ffmpeg's header came. */
interface Sound {
  readonly format: PcmFormat;
  readonly framer: Framer;
  /** Samples of the sound without the codec's padding; undefined where the file does not say. */
  readonly expected: number | undefined;
}

export class PcmOutput {
  private head: Buffer = Buffer.alloc(0);
  private sound: Sound | undefined;
  private readonly joiner = new SampleJoiner();
  /** The end of what came, which may be padding; empty where the file states no length. */
  private held: PcmFrame[] = [];
  private heldSamples = 0;
  private position = 0;

  /** @param exact asked once, when the first sound comes */
  constructor(
    private readonly frameMs: number,
    private readonly exact: () => ExactLength | undefined,
  ) {}

  /** Whether any sound came. */
  get hasSound(): boolean {
    return this.position > 0;
  }

  push(bytes: Buffer): PcmFrame[] {
    if (this.sound) return this.read(this.sound, bytes);
    this.head = this.head.length === 0 ? bytes : Buffer.concat([this.head, bytes]);
    const header = this.head.length < 12 ? undefined : parseWavHeader(this.head);
    if (!header) return [];
    const rest = this.head.subarray(header.dataStart);
    this.head = Buffer.alloc(0);
    this.sound = this.begin(header.format);
    return this.read(this.sound, rest);
  }

  /** The rest, without padding where its length is known. */
  flush(): PcmFrame[] {
    const { sound } = this;
    if (!sound) return [];
    const out: PcmFrame[] = [];
    const { expected = Infinity } = sound;
    const maxPadding = samplesInMs(sound.format.sampleRate, MAX_PADDING_MS);
    // Too long to be padding: another file follows in the same stream, so nothing is cut off.
    const end = this.position - expected <= maxPadding ? expected : Infinity;
    for (const frame of this.held) {
      const samples = Math.min(frame.samples, end - frame.position);
      if (samples > 0) out.push(...sound.framer.push(sliceFrame(frame, 0, samples)));
    }
    this.held = [];
    return out.concat(sound.framer.flush());
  }

  private begin(format: PcmFormat): Sound {
    const exact = this.exact();
    return {
      format,
      framer: new Framer(format, samplesInMs(format.sampleRate, this.frameMs)),
      expected: exact && Math.round((exact.samples * format.sampleRate) / exact.sampleRate),
    };
  }

  private read(sound: Sound, bytes: Buffer): PcmFrame[] {
    const { format } = sound;
    const data = this.joiner.push(bytes, bytesPerSample(format));
    const samples = samplesIn(format, data);
    if (samples === 0) return [];
    const { position } = this;
    this.position += samples;
    const time = msOfSamples(format.sampleRate, position);
    const frame: PcmFrame = { format, data, samples, position, time, gap: 0, latencyMs: 0 };
    return sound.expected === undefined ? sound.framer.push(frame) : this.hold(sound, frame);
  }

  /** Hands out what can't be padding any more. */
  private hold(sound: Sound, frame: PcmFrame): PcmFrame[] {
    this.held.push(frame);
    this.heldSamples += frame.samples;
    const keep = samplesInMs(sound.format.sampleRate, MAX_PADDING_MS);
    const out: PcmFrame[] = [];
    for (;;) {
      const [first] = this.held;
      const surplus = this.heldSamples - keep;
      const isBeforeEnd = first !== undefined && first.position + first.samples <= (sound.expected ?? 0);
      if (!first || (first.samples > surplus && !isBeforeEnd)) return out;
      this.held.shift();
      this.heldSamples -= first.samples;
      out.push(...sound.framer.push(first));
    }
  }
}
