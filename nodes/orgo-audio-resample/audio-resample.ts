/** Resamplers in the harness of streams, with their settings and the status that shows the rates. */
import type { PcmEncoding } from '../../src/audio/format';
import type { AudioFrame } from '../../src/audio/frame';
import { checkOptions, type ResamplerOptions } from '../../src/resample/options';
import { Resampler } from '../../src/resample/resampler';
import { INPUT_SETTINGS } from '../shared/audio-description';
import type { Message, NodeBehaviour, NodeConfig, Red, RedNode, Send } from '../shared/red';
import { parseSettings } from '../shared/settings';
import { StatusLine } from '../shared/status';
import {
  processorOf,
  StreamNode,
  type Stream,
  type StreamProcessor,
  type Surroundings,
} from '../shared/stream-node';
import { SETTINGS } from './settings';

export class AudioResample implements NodeBehaviour {
  private readonly status: StatusLine;
  private readonly harness: StreamNode;
  private clipped = 0;

  /** @throws OrgoError `ORGO_BAD_SETTING` */
  constructor(RED: Red, node: RedNode, config: NodeConfig, surroundings: Surroundings) {
    const options = optionsOf(config);
    this.status = new StatusLine(RED, node, surroundings.clock);
    this.status.show('idle', 'idle');
    this.harness = new StreamNode(
      node,
      {
        accepted: { settings: parseSettings(INPUT_SETTINGS, config), encodings: ['s16le', 'f32le'] },
        create: () => this.processor(options),
        onChange: (streams) => this.show(streams),
        onRefused: () => this.status.show('error', 'bad-input'),
      },
      surroundings,
    );
  }

  onInput(msg: Message, send: Send): void | Promise<void> {
    return this.harness.onInput(msg, send);
  }

  onClose(): void {
    this.harness.onClose();
    this.status.close();
  }

  private processor(options: ResamplerOptions): StreamProcessor {
    const resampler = new Resampler(options);
    const processor = processorOf(resampler);
    let counted = 0;
    return {
      push: (frame: AudioFrame) => {
        const products = processor.push(frame, undefined);
        if (resampler.clipped > counted) {
          this.clipped += resampler.clipped - counted;
          counted = resampler.clipped;
          this.status.show('busy', 'clipped', { count: this.clipped });
        }
        return products;
      },
      flush: () => processor.flush(),
      close: () => processor.close(),
    };
  }

  private show(streams: ReadonlySet<Stream>): void {
    const [stream] = streams;
    if (!stream) {
      this.clipped = 0;
      this.status.show('idle', 'idle');
    } else if (this.clipped > 0) {
      this.status.show('busy', 'clipped', { count: this.clipped });
    } else if (streams.size > 1) {
      this.status.show('ok', 'streams', { count: streams.size });
    } else if (stream.format) {
      const to = stream.outputFormat ?? stream.format;
      this.status.show('ok', 'rates', { from: stream.format.sampleRate, to: to.sampleRate });
    }
  }
}

function optionsOf(config: NodeConfig): ResamplerOptions {
  const { channels, encoding, ...settings } = parseSettings(SETTINGS, config);
  const options: ResamplerOptions = {
    sampleRate: settings.sampleRate,
    channels: channels === '' ? undefined : channels,
    encoding: encoding === '' ? undefined : (encoding satisfies PcmEncoding),
    frameMs: settings.frameMs,
    quality: settings.quality,
    gainDb: settings.gainDb,
  };
  checkOptions(options);
  return options;
}
