/** One packet of 20 ms on its way to Discord, and the numbers that Discord fixes. */

/** Discord takes exactly one frame of this length in each packet. */
export const FRAME_MS = 20;
/** The same in samples of the RTP clock, which counts at 48 kHz. */
export const FRAME_SAMPLES = 960;
/** Opus for 20 ms of silence; Discord's server and clients know these three bytes. */
export const SILENCE_FRAME = Buffer.from([0xf8, 0xff, 0xfe]);
/** Silence frames after the last sound, so that receivers do not go on interpolating it. */
export const SILENCE_FRAMES_AT_END = 5;
/** An encoder gives packets this short for silence and in its pauses (DTX), and never for sound. Bytes. */
const LARGEST_SILENT_PACKET = 8;

export interface SoundPacket {
  /** One Opus packet of 20 ms. */
  readonly opus: Buffer;
  /** Live sound is kept current; a recording is spoken whole. */
  readonly live: boolean;
  /** Leaving it out or saying it twice is not heard. */
  readonly silent: boolean;
  /** Where its sound ends on the clock of its source, ms. Compared with its arrival this gives the jitter. */
  readonly sourceMs: number;
  /**
   * What that clock said when the packet was made, ms: where all the sound ends that had come by then. Compared with the
   * arrival this gives the drift. `sourceMs` would not: what the encoder holds back changes while sound is stretched.
   */
  readonly clockMs: number;
}

/** Whether the packet holds no sound, by its size alone. */
export function looksSilent(opus: Buffer): boolean {
  return opus.length <= LARGEST_SILENT_PACKET;
}
