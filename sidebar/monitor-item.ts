/** One monitor in the list: what it shows, and its buttons. */
import type { MonitorInfo, MonitorLevels } from '../src/monitor/viewer-protocol';
import type { Words } from './node-red';
import { Spectrogram } from './spectrogram';

const FLOOR_DBFS = -96;
/** The bar begins here: what is softer is near silence. */
const BAR_FLOOR_DBFS = -60;
const FULL_VOLUME = 100;

export interface ItemActions {
  reveal(): void;
  play(): void;
  stop(): void;
  save(): void;
  volume(volume: number): void;
}

export class MonitorItem {
  readonly element = document.createElement('li');
  readonly spectrogram = new Spectrogram();
  private readonly name = button('orgo-audio-name');
  private readonly format = span('orgo-audio-format');
  private readonly meter = div('orgo-audio-meter');
  private readonly rms = div('orgo-audio-rms');
  private readonly hold = div('orgo-audio-hold');
  private readonly numbers = span('orgo-audio-numbers');
  private readonly playButton = button('red-ui-button red-ui-button-small');
  private readonly saveButton = button('red-ui-button red-ui-button-small');
  private readonly slider = document.createElement('input');
  private readonly problem = div('orgo-audio-problem');
  private playing = false;

  constructor(
    private readonly words: Words,
    actions: ItemActions,
  ) {
    this.meter.setAttribute('role', 'meter');
    this.meter.setAttribute('aria-valuemin', String(FLOOR_DBFS));
    this.meter.setAttribute('aria-valuemax', '0');
    this.meter.append(this.rms, this.hold);
    this.problem.setAttribute('role', 'alert');
    this.slider.type = 'range';
    this.slider.min = '0';
    this.slider.max = this.slider.value = String(FULL_VOLUME);
    this.name.onclick = () => actions.reveal();
    this.playButton.onclick = () => (this.playing ? actions.stop() : actions.play());
    this.saveButton.onclick = () => actions.save();
    this.slider.oninput = () => actions.volume(Number(this.slider.value) / FULL_VOLUME);
    const head = div('orgo-audio-head');
    head.append(this.name, this.format);
    const controls = div('orgo-audio-controls');
    controls.append(this.playButton, this.slider, this.saveButton);
    const { canvas, colours } = this.spectrogram;
    this.element.append(head, this.meter, canvas, colours, this.numbers, controls, this.problem);
    this.element.className = 'orgo-audio-item';
    this.levels(undefined);
    this.setPlaying(false);
  }

  info({ name, format, historySeconds }: MonitorInfo): void {
    const { words } = this;
    this.name.textContent = name;
    this.name.title = words('reveal');
    this.meter.setAttribute('aria-label', words('level', { name }));
    this.slider.setAttribute('aria-label', words('volume', { name }));
    this.spectrogram.canvas.setAttribute('aria-label', words('spectrogram', { name }));
    this.saveButton.textContent = words('save');
    this.saveButton.title = words('save-tip', { seconds: historySeconds });
    this.saveButton.disabled = historySeconds === 0;
    this.format.textContent = format
      ? `${format.sampleRate / 1000} kHz ${words(format.channels === 1 ? 'mono' : 'stereo')} ${format.encoding}`
      : words('no-sound');
  }

  levels(levels: MonitorLevels | undefined): void {
    const { peak = FLOOR_DBFS, rms = FLOOR_DBFS, hold = FLOOR_DBFS } = levels ?? {};
    this.meter.setAttribute('aria-valuenow', String(rms));
    this.meter.setAttribute('aria-valuetext', this.words('dbfs', { level: rms.toFixed(1) }));
    this.rms.style.width = percent(rms);
    this.hold.style.left = percent(hold);
    this.hold.hidden = hold <= BAR_FLOOR_DBFS;
    this.meter.title = this.words('levels', {
      rms: rms.toFixed(1),
      peak: peak.toFixed(1),
      hold: hold.toFixed(1),
    });
    const shown: string[] = [this.words('dbfs', { level: rms.toFixed(1) })];
    // Another machine's clock may be ahead of this one's.
    if (levels && levels.ageMs !== null) shown.push(this.words('age', { ms: Math.max(0, levels.ageMs) }));
    if (levels && levels.gaps > 0) shown.push(this.words('gaps', { gaps: levels.gaps, ms: levels.gapMs }));
    if (levels && levels.others > 0) shown.push(this.words('others', { count: levels.others }));
    if (levels?.speech === true) shown.push(this.words('speech'));
    this.numbers.textContent = shown.join(' · ');
  }

  setPlaying(playing: boolean): void {
    this.playing = playing;
    this.playButton.textContent = this.words(playing ? 'stop' : 'play');
  }

  /** Says what went wrong; an empty text: nothing. */
  say(problem: string): void {
    if (this.problem.textContent !== problem) this.problem.textContent = problem;
  }
}

function percent(dbfs: number): string {
  return `${(100 * Math.min(1, Math.max(0, 1 - dbfs / BAR_FLOOR_DBFS))).toFixed(1)}%`;
}

function div(className: string): HTMLDivElement {
  return Object.assign(document.createElement('div'), { className });
}

function span(className: string): HTMLSpanElement {
  return Object.assign(document.createElement('div'), { className });
}

function button(className: string): HTMLButtonElement {
  return Object.assign(document.createElement('button'), { className, type: 'button' });
}
