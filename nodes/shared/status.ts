/** The line below a node: in core's colours, from the node's catalog, at most four updates a second. */
import type { Clock } from '../../src/audio/clock';
import type { NodeStatus, Red, RedNode } from './red';

/** What a status means; core nodes show each with these colours and shapes. */
export type Look = 'ok' | 'busy' | 'off' | 'error' | 'idle';

const LOOKS: Readonly<Record<Look, Required<Pick<NodeStatus, 'fill' | 'shape'>>>> = {
  ok: { fill: 'green', shape: 'dot' },
  busy: { fill: 'yellow', shape: 'ring' },
  off: { fill: 'red', shape: 'ring' },
  error: { fill: 'red', shape: 'ring' },
  idle: { fill: 'grey', shape: 'ring' },
};

/** Node-RED's channel to the editor queues without bound: four a second and node keep it short. */
const MIN_INTERVAL_MS = 250;
/** Longer texts run into the next node. */
const MAX_TEXT_LENGTH = 19;

/** Shows the latest status at once if it may, else as soon as it may. One that is replaced while it waits is never shown. */
export class StatusLine {
  private lastShownAt = -Infinity;
  private shownKey = '';
  private waiting: NodeStatus | undefined;
  private cancelTimer: (() => void) | undefined;

  constructor(
    private readonly RED: Pick<Red, '_'>,
    private readonly node: Pick<RedNode, 'status' | 'type'>,
    private readonly clock: Clock,
  ) {}

  /** Shows the text `<node type>.status.<word>` of the node's catalog, `__name__` replaced by `values.name`. */
  show(look: Look, word: string, values?: Readonly<Record<string, unknown>>): void {
    const text = this.RED._(`${this.node.type}.status.${word}`, values);
    this.waiting = { ...LOOKS[look], text: clip(text) };
    if (this.cancelTimer) return;
    const wait = this.lastShownAt + MIN_INTERVAL_MS - this.clock.now();
    if (wait <= 0) this.showWaiting();
    else this.startTimer(wait);
  }

  /** Drops what waits and clears the line. May be called twice. */
  close(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.waiting = undefined;
    this.node.status({});
  }

  private startTimer(ms: number): void {
    this.cancelTimer = this.clock.after(ms, () => {
      this.cancelTimer = undefined;
      this.showWaiting();
    });
  }

  private showWaiting(): void {
    const status = this.waiting;
    this.waiting = undefined;
    if (!status) return;
    const key = `${status.fill} ${status.shape} ${status.text}`;
    if (key === this.shownKey) return;
    this.shownKey = key;
    this.lastShownAt = this.clock.now();
    this.node.status(status);
  }
}

function clip(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text;
}
