/** The tab Audio: the list of monitors, who of them is seen, and what is played. */
import type { SoundOutput } from '../player/sound-output';
import type { BinaryMessage, HostMessage, MonitorInfo } from '../src/monitor/viewer-protocol';
import { adminUrl, Connection, type ConnectionState } from './connection';
import { MonitorItem } from './monitor-item';
import { wordsOf, type Ajax, type RedEditor, type Refusal, type Words } from './node-red';
import { STYLE } from './style';

export const TAB_ID = 'orgo-audio';
const ACTION = 'orgo-audio:show-audio-tab';
const PLAYER = 'resources/node-red-contrib-orgo-audio/orgo-player.js';

interface Player {
  createSoundOutput(options: { volume: number }): SoundOutput;
}

interface Entry {
  info: MonitorInfo;
  readonly item: MonitorItem;
  volume: number;
  output: SoundOutput | undefined;
}

export class AudioTab {
  private readonly words: Words;
  private readonly root = document.createElement('div');
  private readonly list = document.createElement('ul');
  private readonly notice = document.createElement('div');
  private readonly entries = new Map<string, Entry>();
  private readonly connection: Connection;
  private readonly seen: IntersectionObserver;
  private readonly theme: MutationObserver;
  private readonly visible = new Set<Element>();
  private player: Promise<Player> | undefined;

  constructor(
    private readonly RED: RedEditor,
    private readonly jQuery: Ajax,
  ) {
    this.words = wordsOf(RED);
    this.connection = new Connection(jQuery, {
      onState: (state) => this.showState(state),
      onMessage: (message) => this.take(message),
      onBinary: (message) => this.takeBinary(message),
    });
    this.seen = new IntersectionObserver((changes) => this.sight(changes));
    this.theme = new MutationObserver(() => this.redraw());
    this.list.setAttribute('aria-label', this.words('list'));
    this.notice.setAttribute('role', 'status');
    this.notice.className = 'orgo-audio-notice';
    const style = document.createElement('style');
    style.textContent = STYLE;
    this.root.className = 'orgo-audio-tab';
    this.root.append(style, this.notice, this.list);
  }

  add(): void {
    const { RED, root: content } = this;
    const name = this.words('name');
    const options = { id: TAB_ID, name, label: name, iconClass: 'fa fa-headphones', content };
    RED.actions.add(ACTION, () => RED.sidebar.show(TAB_ID));
    RED.sidebar.addTab({ ...options, action: ACTION, enableOnEdit: true });
    this.seen.observe(this.root);
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ['class'] });
    document.addEventListener('visibilitychange', this.onVisibility);
    addEventListener('online', this.onVisibility);
  }

  remove(): void {
    for (const entry of this.entries.values()) this.stop(entry);
    this.seen.disconnect();
    this.theme.disconnect();
    document.removeEventListener('visibilitychange', this.onVisibility);
    removeEventListener('online', this.onVisibility);
    this.connection.close();
    this.RED.actions.remove(ACTION);
    this.RED.sidebar.removeTab(TAB_ID);
  }

  private readonly onVisibility = (): void => this.wish();

  private sight(changes: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) this.visible.add(target);
      else this.visible.delete(target);
    }
    this.wish();
  }

  /** Opens or closes the connection, and says what is wanted: what is seen, and what plays. */
  private wish(): void {
    const isShown = !document.hidden && this.visible.has(this.root);
    const entries = [...this.entries.values()];
    const sound = entries.filter(({ output }) => output !== undefined).map(({ info }) => info.id);
    if (!isShown && sound.length === 0) {
      this.connection.close();
      return;
    }
    this.connection.open();
    const shown = isShown ? entries.filter(({ item }) => this.visible.has(item.element)) : [];
    this.connection.send({ type: 'want', levels: shown.map(({ info }) => info.id), sound });
  }

  private showState(state: ConnectionState): void {
    const key = { closed: '', connecting: '', open: '', lost: 'lost', refused: 'refused' }[state];
    if (state === 'refused') this.show([]);
    if (state !== 'connecting') this.notice.textContent = key === '' ? '' : this.words(key);
    if (state !== 'open') for (const { item } of this.entries.values()) item.levels(undefined);
  }

  private take(message: HostMessage): void {
    if (message.type === 'monitors') {
      this.show(message.monitors);
      this.notice.textContent = message.monitors.length === 0 ? this.words('empty') : '';
      this.wish();
    } else if (message.type === 'levels') {
      for (const levels of message.levels) this.entries.get(levels.id)?.item.levels(levels);
    }
  }

  private takeBinary(message: BinaryMessage): void {
    const entry = [...this.entries.values()].find(({ info }) => info.key === message.key);
    if (!entry) return;
    if (message.kind === 'columns') entry.item.spectrogram.push(message.data);
    else {
      const { sampleRate, channels, time } = message;
      entry.output?.push({ samples: floatsOf(message), sampleRate, channels, time });
    }
  }

  /** Makes the list hold these monitors. One that went keeps playing as soon as a deployment has brought it back. */
  private show(monitors: readonly MonitorInfo[]): void {
    const ids = new Set(monitors.map(({ id }) => id));
    for (const [id, entry] of this.entries) {
      if (ids.has(id)) continue;
      this.stop(entry);
      this.seen.unobserve(entry.item.element);
      this.visible.delete(entry.item.element);
      entry.item.element.remove();
      this.entries.delete(id);
    }
    for (const info of monitors) {
      const entry = this.entries.get(info.id) ?? this.make(info);
      entry.info = info;
      entry.item.info(info);
    }
  }

  private make(info: MonitorInfo): Entry {
    const item: MonitorItem = new MonitorItem(this.words, {
      reveal: () => this.RED.view.reveal(entry.info.nodeId),
      play: () => void this.play(entry),
      stop: () => this.stop(entry),
      save: () => void this.save(entry),
      volume: (volume) => {
        entry.volume = volume;
        if (entry.output) entry.output.volume = volume;
      },
    });
    const entry: Entry = { info, item, volume: 1, output: undefined };
    this.entries.set(info.id, entry);
    this.list.append(item.element);
    this.seen.observe(item.element);
    // Loaded before it is needed: a browser lets a page play only shortly after a click.
    this.player ??= import(new URL(PLAYER, document.baseURI).href) as Promise<Player>;
    return entry;
  }

  private async play(entry: Entry): Promise<void> {
    const { item } = entry;
    item.say('');
    try {
      const player = await this.player;
      if (!player || entry.output) return;
      const output = player.createSoundOutput({ volume: entry.volume });
      entry.output = output;
      output.addEventListener('problem', () => {
        if (!output.problem || entry.output !== output) return;
        this.stop(entry);
        item.say(output.problem.code === 'autoplay' ? this.words('autoplay') : output.problem.message);
      });
      // Before it starts: it may refuse at once.
      item.setPlaying(true);
      this.wish();
      output.start();
    } catch (error) {
      this.player = undefined;
      this.stop(entry);
      item.say(this.words('no-player', { reason: error instanceof Error ? error.message : String(error) }));
    }
  }

  private stop(entry: Entry): void {
    const { output } = entry;
    entry.output = undefined;
    output?.stop();
    entry.item.setPlaying(false);
    if (output) this.wish();
  }

  private async save({ info, item }: Entry): Promise<void> {
    item.say('');
    try {
      const url = adminUrl(`history/${encodeURIComponent(info.id)}`).href;
      const wav = (await this.jQuery.ajax({
        url,
        cache: false,
        xhrFields: { responseType: 'blob' },
      })) as Blob;
      const link = document.createElement('a');
      link.href = URL.createObjectURL(wav);
      link.download = `${info.name.replaceAll(/[^\w -]+/g, '_')} ${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}.wav`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    } catch (error) {
      const { status } = error as Refusal;
      item.say(this.words(status === 404 ? 'nothing-kept' : 'not-saved'));
    }
  }

  private redraw(): void {
    for (const { item } of this.entries.values()) item.spectrogram.draw();
  }
}

/** Floats of the samples, full scale ±1. */
function floatsOf({ encoding, data }: BinaryMessage & { kind: 'sound' }): Float32Array {
  const size = encoding === 's16le' ? 2 : 4;
  const length = Math.floor(data.byteLength / size);
  if (encoding === 'f32le') return new Float32Array(data.buffer, data.byteOffset, length).slice();
  return Float32Array.from(new Int16Array(data.buffer, data.byteOffset, length), (sample) => sample / 32_768);
}
