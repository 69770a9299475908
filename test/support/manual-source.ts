/** A source that gives what a test tells it to give. */
import type { PcmFormat } from '../../src/audio/format';
import { bytesPerSample } from '../../src/audio/format';
import type { Source, SourceSink, SourceState } from '../../src/capture/source';

export const WIRE_DEFAULT: PcmFormat = { encoding: 's16le', sampleRate: 24000, channels: 1 };
/** Capture time of sample 0. */
export const SOURCE_EPOCH = 1_800_000_000_000;

export class ManualSource implements Source {
  sink: SourceSink | undefined;
  starts = 0;
  position = 0;

  constructor(
    readonly format: PcmFormat = WIRE_DEFAULT,
    private readonly firstState: SourceState = { kind: 'running', device: 'manual', muted: false },
  ) {}

  start(sink: SourceSink): void {
    this.sink = sink;
    this.position = 0;
    this.starts++;
    sink.onState(this.firstState);
  }

  stop(): void {
    this.sink = undefined;
  }

  state(state: SourceState): void {
    this.sink?.onState(state);
  }

  /** Gives `samples` of a ramp in which every sample tells its position, after a hole of `gap` samples. */
  give(samples: number, gap = 0): void {
    this.position += gap;
    this.sink?.onFrame({
      format: this.format,
      data: ramp(this.format, this.position, samples),
      samples,
      position: this.position,
      time: SOURCE_EPOCH + (this.position * 1000) / this.format.sampleRate,
      gap,
      latencyMs: 0,
    });
    this.position += samples;
  }
}

/** s16 samples whose value is their position, plus one so that none is silence, modulo 30000. */
export function ramp(format: PcmFormat, position: number, samples: number): Buffer {
  const data = Buffer.alloc(samples * bytesPerSample(format));
  for (let i = 0; i < samples; i++) {
    for (let channel = 0; channel < format.channels; channel++) {
      data.writeInt16LE(rampValue(position + i), (i * format.channels + channel) * 2);
    }
  }
  return data;
}

export function rampValue(position: number): number {
  return (position % 30000) + 1;
}
