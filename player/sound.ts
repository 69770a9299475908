/** A stretch of sound, as it is handed from one part of the player to the next. */

export interface Sound {
  /** Interleaved, full scale ±1. Not to be written to afterwards. */
  readonly samples: Float32Array;
  /** Hz */
  readonly sampleRate: number;
  readonly channels: number;
}

/** Sound to be played. */
export interface OutputSound extends Sound {
  /**
   * When its first sample was captured, epoch ms: it is live, and how late it gets is bounded. Without it, or where it
   * is longer than a second, the sound is a recording: all of it is played, after what waits already.
   */
  readonly time?: number | undefined;
}
