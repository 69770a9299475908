/** Any sound file to PCM, and PCM to a file or a broadcast, as a node; its status says whether ffmpeg is missing. */
import { OrgoError } from '../../src/audio/errors';
import type { Dependencies } from '../../src/convert/engine';
import { checkEncodeOptions } from '../../src/convert/options';
import { isOwnFormat } from '../../src/convert/own-codecs';
import { defineTransformNode, type NodeView, type Shown } from '../shared/transform-node';
import { ConversionTransform } from './conversion-transform';
import { decoding, encoding, type ConvertSettings } from './conversions';
import { SETTINGS } from './settings';

interface State {
  readonly settings: ConvertSettings;
  readonly dependencies: Dependencies;
  /** What the latest search for ffmpeg said. */
  isFfmpegMissing: boolean;
}

export function convertNode(dependencies: Dependencies): ReturnType<typeof defineTransformNode> {
  return defineTransformNode({
    type: 'orgo-audio-convert',
    settings: SETTINGS,
    start(settings, _text, refresh): State {
      if (settings.mode === 'encode') checkEncodeOptions(settings);
      const state = stateOf(settings, dependencies);
      // Looked for now, so that the status says at once if it is missing.
      if (needsFfmpeg(settings)) state.dependencies.findFfmpeg().then(refresh, refresh);
      return state;
    },
    accepts: ({ settings: { mode, pieces } }) =>
      mode === 'encode' ? { encodings: ['s16le', 'f32le'] } : { encodings: ['file'], wholeFiles: !pieces },
    create(context, state) {
      const conversion = state.settings.mode === 'encode' ? encoding : decoding;
      return new ConversionTransform(conversion(state.settings, state.dependencies), context);
    },
    onRefused: (error) =>
      error instanceof OrgoError && error.code === 'ORGO_NO_FFMPEG' ? NO_FFMPEG : badFile(error),
    status: statusOf,
  });
}

const NO_FFMPEG: Shown = ['error', 'no-ffmpeg'];

function badFile(error: unknown): Shown {
  const failed = error instanceof OrgoError && error.code === 'ORGO_CONVERT_FAILED';
  return ['error', failed ? 'failed' : 'bad-input'];
}

function needsFfmpeg({ mode, format }: ConvertSettings): boolean {
  return mode === 'decode' || !isOwnFormat(format);
}

function stateOf(settings: ConvertSettings, dependencies: Dependencies): State {
  const state: State = {
    settings,
    isFfmpegMissing: false,
    dependencies: {
      ...dependencies,
      async findFfmpeg() {
        try {
          const found = await dependencies.findFfmpeg();
          state.isFfmpegMissing = false;
          return found;
        } catch (error) {
          state.isFfmpegMissing = true;
          throw error;
        }
      },
    },
  };
  return state;
}

function statusOf({ state, streams }: NodeView<State, ConversionTransform>): Shown {
  const { settings, dependencies, isFfmpegMissing } = state;
  const running = streams.flatMap(({ transform }) => (transform ? [transform] : []));
  if (running.length === 0) return isFfmpegMissing ? NO_FFMPEG : ['idle', 'idle'];
  // The queue belongs to the whole process: other nodes may wait in it too.
  const waiting = Math.min(dependencies.pool.queued, running.filter(({ isWaiting }) => isWaiting).length);
  if (waiting > 0) return ['busy', 'waiting', { count: waiting }];
  return ['ok', settings.mode];
}
