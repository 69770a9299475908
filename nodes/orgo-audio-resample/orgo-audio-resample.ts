/** The node that changes a stream's rate, channels, encoding, gain and frame length. */
import { pcmOnly, toOutput } from '../../src/audio/transform';
import type { ResamplerSettings } from '../../src/resample/options';
import { Resampler } from '../../src/resample/resampler';
import { defineTransformNode } from '../shared/transform-node';
import { SETTINGS } from './settings';

interface State {
  readonly settings: ResamplerSettings;
  /** Samples that were clipped since the node had no stream. */
  clipped: number;
}

export = defineTransformNode({
  type: 'orgo-audio-resample',
  settings: SETTINGS,
  start: (settings): State => ({ settings, clipped: 0 }),
  accepts: () => ({ encodings: ['s16le', 'f32le'] }),
  create({ refresh }, state) {
    const onClip = (samples: number): void => {
      state.clipped += samples;
      refresh();
    };
    return toOutput(pcmOnly(new Resampler({ ...state.settings, onClip })));
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
