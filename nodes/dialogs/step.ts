/** A step of a test that a dialog shows, as it goes over the wire. */

export interface Step {
  /** Its word in the node's catalog, under `test.step`. */
  readonly step: string;
  readonly ok: boolean;
  /** What it showed, or what is wrong and what to do. */
  readonly text: string;
}
