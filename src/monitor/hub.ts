/** Knows which monitors there are and who looks at which: nothing is computed or sent for what nobody wants. */
import type { Clock } from '../audio/clock';
import type { MarkedFrame } from './live-sound';
import { Monitor, type MonitorOptions } from './monitor';
import { Viewer, type ViewerSocket } from './viewer';
import { encodeBinary, TICK_MS } from './viewer-protocol';

/** A deploy adds and removes many: the list is sent once it was quiet. */
const LIST_AFTER_MS = 50;

interface Entry {
  readonly monitor: Monitor;
  readonly key: number;
}

export class MonitorHub {
  private readonly monitors = new Map<string, Entry>();
  private readonly viewers = new Set<Viewer>();
  private keys = 0;
  private cancelList: (() => void) | undefined;
  private cancelTick: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  /** Adds the monitor of a node that was deployed. */
  add(options: MonitorOptions): Monitor {
    const monitor = new Monitor(options, this.clock, () => this.listChanged());
    this.monitors.set(options.id, { monitor, key: ++this.keys });
    this.spread();
    this.listChanged();
    return monitor;
  }

  /** The node is gone, or makes room for itself anew. */
  remove(monitor: Monitor): void {
    monitor.close();
    if (this.monitors.get(monitor.options.id)?.monitor !== monitor) return;
    this.monitors.delete(monitor.options.id);
    this.listChanged();
  }

  get(id: string): Monitor | undefined {
    return this.monitors.get(id)?.monitor;
  }

  /** Connections, admitted or not. */
  get connections(): number {
    return this.viewers.size;
  }

  /** Takes a connection of a page; what comes by it goes to the viewer's `receive`. */
  connect(socket: ViewerSocket, redeem: (ticket: string) => boolean): Viewer {
    const viewer: Viewer = new Viewer(socket, {
      clock: this.clock,
      redeem,
      onAdmitted: () => viewer.tell(this.list()),
      onWant: () => this.spread(),
    });
    this.viewers.add(viewer);
    return viewer;
  }

  disconnect(viewer: Viewer): void {
    viewer.close();
    this.viewers.delete(viewer);
    this.spread();
  }

  private list(): { type: 'monitors'; monitors: ReturnType<Monitor['info']>[] } {
    const monitors = [...this.monitors.values()].map(({ monitor, key }) => monitor.info(key));
    return { type: 'monitors', monitors };
  }

  private listChanged(): void {
    this.cancelList ??= this.clock.after(LIST_AFTER_MS, () => {
      this.cancelList = undefined;
      const list = this.list();
      for (const viewer of this.viewers) if (viewer.admitted) viewer.tell(list);
    });
  }

  /** Tells each monitor what is wanted of it now. */
  private spread(): void {
    const viewers = [...this.viewers].filter(({ levels, sound }) => levels.size > 0 || sound.size > 0);
    let isLooked = false;
    for (const [id, { monitor, key }] of this.monitors) {
      const listeners = viewers.filter(({ sound }) => sound.has(id));
      const levels = viewers.some((viewer) => viewer.levels.has(id));
      const onSound =
        listeners.length > 0 ? (frame: MarkedFrame) => deliver(frame, key, listeners) : undefined;
      monitor.want({ levels, onSound });
      isLooked ||= levels;
    }
    if (isLooked && !this.cancelTick) this.scheduleTick();
    if (!isLooked) {
      this.cancelTick?.();
      this.cancelTick = undefined;
    }
  }

  private scheduleTick(): void {
    this.cancelTick = this.clock.after(TICK_MS, () => {
      this.scheduleTick();
      this.tick();
    });
  }

  private tick(): void {
    const lookers = [...this.viewers].filter(({ levels }) => levels.size > 0);
    const shown = new Map<string, { readonly text: string; readonly columns: Uint8Array | undefined }>();
    for (const [id, { monitor, key }] of this.monitors) {
      if (!lookers.some(({ levels }) => levels.has(id))) continue;
      const data = monitor.takeColumns();
      const columns = data.length > 0 ? encodeBinary({ kind: 'columns', key, data }) : undefined;
      shown.set(id, { text: JSON.stringify(monitor.levels()), columns });
    }
    for (const viewer of lookers) {
      const texts: string[] = [];
      for (const [id, { text, columns }] of shown) {
        if (!viewer.levels.has(id)) continue;
        texts.push(text);
        if (columns) viewer.offer(columns);
      }
      if (texts.length > 0) viewer.offer(`{"type":"levels","levels":[${texts.join(',')}]}`);
    }
  }
}

function deliver(frame: MarkedFrame, key: number, listeners: readonly Viewer[]): void {
  const { encoding, sampleRate, channels } = frame.format;
  const bytes = encodeBinary({
    kind: 'sound',
    key,
    encoding,
    sampleRate,
    channels,
    time: frame.time,
    data: frame.data,
  });
  for (const viewer of listeners) viewer.offer(bytes);
}
