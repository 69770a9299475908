/** Decoding and encoding, as the node's settings ask for them. */
import { msOfSamples } from '../../src/audio/format';
import type { AudioFrame } from '../../src/audio/frame';
import { isPcmFrame } from '../../src/audio/frame';
import { Decoding } from '../../src/convert/decoding';
import { Encoding } from '../../src/convert/encoding';
import type { Dependencies } from '../../src/convert/engine';
import type { PieceTime } from '../../src/convert/timeline';
import type { SettingValues } from '../shared/settings';
import type { Conversion, ConversionOptions } from './conversion-transform';
import type { SETTINGS } from './settings';

export type ConvertSettings = SettingValues<typeof SETTINGS>;

/** Of one stream: when a decoder fails, the next one's output goes on where the first one's ended. */
export function decoding(settings: ConvertSettings, dependencies: Dependencies): ConversionOptions {
  const { sampleRate, channels, encoding, frameMs, pieces } = settings;
  const options = { sampleRate, channels, encoding, frameMs, isWhole: !pieces };
  let end = 0;
  const start = (give: (frame: AudioFrame) => void): Conversion => {
    const from = end;
    let first: AudioFrame | undefined;
    const inner = new Decoding(
      options,
      ({ frame, isTimed }) => {
        const position = from + frame.position;
        end = position + frame.samples;
        give(isTimed ? { ...frame, position } : { ...frame, position, isRecording: true });
      },
      dependencies,
    );
    return {
      ended: inner.ended,
      write(frame) {
        first ??= frame;
        return inner.write(frame.data, pieces ? timeOf(frame, first) : undefined);
      },
      finish: () => inner.finish(),
      abort: () => inner.abort(),
    };
  };
  return { start, whenClosed: 'drop' };
}

export function encoding(
  { format, bitrate }: ConvertSettings,
  dependencies: Dependencies,
): ConversionOptions {
  const start = (give: (frame: AudioFrame) => void): Conversion => {
    const inner = new Encoding({ format, bitrate }, give, dependencies);
    return {
      ended: inner.ended,
      write: (frame) => (isPcmFrame(frame) ? inner.write(frame) : Promise.resolve()),
      finish: () => inner.finish(),
      abort: () => inner.abort(),
    };
  };
  return { start, whenClosed: 'finish' };
}

/** A live piece's place in time. Where its sender counts nothing, how much sound came before it is not known. */
function timeOf(
  { isRecording, time, position, format }: AudioFrame,
  first: AudioFrame,
): PieceTime | undefined {
  if (isRecording) return undefined;
  const elapsed = position - first.position;
  return { time, elapsedMs: elapsed > 0 ? msOfSamples(format.sampleRate, elapsed) : undefined };
}
