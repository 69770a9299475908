/** Opus packets to PCM, each sample at the place that it had before it was encoded. */
import { OrgoError } from '../audio/errors';
import type { AudioFormat } from '../audio/format';
import type { PcmFrame } from '../audio/frame';
import { Runs } from '../audio/runs';
import type { Transform } from '../audio/transform';
import { parseSettings } from '../settings/read';
import type { SomeSettings } from '../settings/setting';
import { Resampler } from '../resample/resampler';
import { chooseLibrary } from './choose-library';
import { OpusCodec } from './codec';
import { DecoderRun, type PacketFrame } from './decoder-run';
import { OPUS_RATES, type OpusLibrary } from './library';
import { OPUS_CLOCK_RATE, parsePacket } from './packet';
import { DECODER_SETTINGS } from './settings';

export { MAX_CONCEALED_MS, type PacketFrame } from './decoder-run';

/** Any rate: where Opus does not give it, the output is resampled. */
export interface OpusDecoderOptions extends SomeSettings<typeof DECODER_SETTINGS> {
  /** Gain by an Ogg or WebM header, in 1/256 dB; 0. */
  readonly gain?: number | undefined;
  readonly library?: OpusLibrary | undefined;
}

/**
 * The first `preSkip` samples of a run are dropped, and what is filled up with silence at its end, so that as many
 * samples come out as went in. Packets that are missing are concealed, at most {@link MAX_CONCEALED_MS} of them,
 * the rest stays a gap. Neither library can use the forward error correction that a packet may hold.
 */
export class OpusDecoder implements Transform<'opus', PcmFrame> {
  private readonly runs: Runs<'opus', PcmFrame, DecoderRun>;

  /** @throws OrgoError `ORGO_BAD_SETTING`, or `ORGO_OPUS_FAILED` where no library loads */
  constructor(options: OpusDecoderOptions = {}) {
    const { sampleRate, channels, encoding } = parseSettings(DECODER_SETTINGS, { ...options });
    const { gain, library = chooseLibrary() } = options;
    const resampler = new Resampler({ sampleRate, channels, encoding });
    const rate = OPUS_RATES.find((known) => known === sampleRate) ?? OPUS_CLOCK_RATE;
    this.runs = new Runs({
      start(first) {
        const codec = new OpusCodec(library, rate, channels || first.format.channels);
        if (gain) codec.decoderControl('gain', gain);
        return new DecoderRun(first, codec, resampler);
      },
      continues: (run, frame) => run.continuesWith(frame),
    });
  }

  /** @throws OrgoError `ORGO_BAD_INPUT` where the payload is no packet: it counts as lost, and is concealed */
  push(frame: PacketFrame): PcmFrame[] {
    checkFormat(frame.format);
    parsePacket(frame.data);
    return this.runs.push(frame);
  }

  flush(): PcmFrame[] {
    return this.runs.flush();
  }

  close(): void {
    this.runs.close();
  }
}

function checkFormat({ sampleRate, channels }: AudioFormat<'opus'>): void {
  if (sampleRate > 0 && Number.isFinite(sampleRate) && [1, 2].includes(channels)) return;
  throw new OrgoError(
    'ORGO_BAD_INPUT',
    `The Opus that came is said to be of ${sampleRate} Hz and ${channels} channels: 1 or 2 channels at any rate are taken`,
  );
}
