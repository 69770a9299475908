/** The node that changes a stream's rate, channels, encoding, gain and frame length. */
import type { PcmEncoding } from '../../src/audio/format';
import { pcmOnly, toOutput } from '../../src/audio/transform';
import { checkOptions, type ResamplerOptions } from '../../src/resample/options';
import { Resampler } from '../../src/resample/resampler';
import type { NodeConfig } from '../shared/red';
import { parseSettings } from '../shared/settings';
import { defineTransformNode } from '../shared/transform-node';
import { SETTINGS } from './settings';

interface State {
  readonly options: ResamplerOptions;
  /** Samples that were clipped since the node had no stream. */
  clipped: number;
}

export = defineTransformNode<State>({
  type: 'orgo-audio-resample',
  start: (config) => ({ options: optionsOf(config), clipped: 0 }),
  accepts: () => ({ encodings: ['s16le', 'f32le'] }),
  create({ refresh }, state) {
    const onClip = (samples: number): void => {
      state.clipped += samples;
      refresh();
    };
    return toOutput(pcmOnly(new Resampler({ ...state.options, onClip })));
  },
  status({ state, streams }) {
    const [stream, ...others] = streams;
    if (!stream) {
      state.clipped = 0;
      return ['idle', 'idle'];
    }
    if (state.clipped > 0) return ['busy', 'clipped', { count: state.clipped }];
    if (others.length > 0) return ['ok', 'streams', { count: streams.length }];
    if (!stream.format) return undefined;
    const to = stream.outputFormat ?? stream.format;
    return ['ok', 'rates', { from: stream.format.sampleRate, to: to.sampleRate }];
  },
});

/** @throws OrgoError `ORGO_BAD_SETTING` */
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
