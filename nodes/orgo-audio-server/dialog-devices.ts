/** The list in the server's dialog of what the sound server has to capture, with what plays now. */
import type { Ask } from '../../editor';
import type { EditorNode, Field, JQuery, Words } from '../../editor/node-red';
import { escapeHtml } from '../../editor/rows';
import type { ListedDevice } from '../../src/capture/pulse/device-list';

const ID = 'orgo-audio-server-devices';
/** The choice of a name that the list lacks: it can't be a device's. */
const OTHER = '\u0001';

/** The list, above the field that holds a device's name, and shown with it. */
export function withDeviceList(row: string, words: Words): string {
  const setting = /data-setting="[^"]*"/.exec(row)?.[0] ?? '';
  const again = escapeHtml(words('devices.again') ?? '');
  const label = `<i class="fa fa-headphones"></i> <span>${escapeHtml(words('devices.label') ?? '')}</span>`;
  const other = `<option value="${OTHER}">${escapeHtml(words('devices.other') ?? '')}</option>`;
  return (
    `<div class="form-row" ${setting}><label for="${ID}" style="width: 28%">${label}</label>` +
    `<select id="${ID}" style="width: calc(70% - 45px)">${other}</select> ` +
    `<button type="button" class="red-ui-button" id="${ID}-again" title="${again}" aria-label="${again}">` +
    `<i class="fa fa-refresh"></i></button>` +
    `<div role="status" id="${ID}-problem" style="margin-top: 6px"></div></div>${row}`
  );
}

export class DeviceList {
  private devices: readonly ListedDevice[] = [];
  private asked = 0;
  private readonly list: Field;

  constructor(
    private readonly $: JQuery,
    private readonly node: EditorNode,
    private readonly field: (name: string) => Field,
    private readonly ask: Ask,
  ) {
    this.list = $(`#${ID}`);
  }

  /** Asks the sound server, and from now on follows what is chosen. */
  open(): void {
    const { $, field } = this;
    this.list.on('change', () => {
      const name = String(this.list.val());
      if (name === OTHER) field('device').trigger('focus');
      else field('device').val(name).trigger('change');
    });
    field('device').on('input change', () => this.select());
    for (const name of ['pulseServer', 'source']) field(name).on('change', () => void this.load());
    $(`#${ID}-again`).on('click', () => void this.load());
    void this.load();
  }

  private async load(): Promise<void> {
    const asked = ++this.asked;
    if (this.field('source').val() !== 'pulse') return;
    const devices: ListedDevice[] = [];
    const failure = await this.ask('/orgo-audio-server/devices', ['pulseServer'], (line) => {
      devices.push(line as unknown as ListedDevice);
    });
    if (asked !== this.asked) return;
    this.devices = devices;
    this.fill();
    this.$(`#${ID}-problem`).text(failure ?? '');
  }

  private fill(): void {
    const { $, list } = this;
    const standard = this.devices.find(({ isDefault }) => isDefault);
    const named = standard ? `${this.word('default')}: ${this.labelOf(standard)}` : this.word('default');
    list.empty().append($('<option>').val('').text(named));
    for (const kind of ['sink', 'source'] as const) {
      const those = this.devices.filter((device) => device.kind === kind);
      if (those.length === 0) continue;
      const group = $('<optgroup>').attr('label', this.word(kind));
      for (const device of those) group.append($('<option>').val(device.name).text(this.labelOf(device)));
      list.append(group);
    }
    list.append($('<option>').val(OTHER).text(this.word('other')));
    this.select();
  }

  /** Shows in the list what the field holds. */
  private select(): void {
    const name = String(this.field('device').val()).trim();
    const isListed = name === '' || this.devices.some((device) => device.name === name);
    this.list.val(isListed ? name : OTHER);
  }

  private labelOf({ name, description, playing, muted }: ListedDevice): string {
    const alike = this.devices.filter((device) => device.description === description);
    const title = description === '' ? name : alike.length > 1 ? `${description} (${name})` : description;
    const marks = [
      playing.length > 0 ? `♪ ${this.word('playing')}: ${playing.join(', ')}` : '',
      muted ? this.word('muted') : '',
    ];
    return [title, ...marks.filter(Boolean)].join(' · ');
  }

  private word(key: string): string {
    return this.node._(`orgo-audio-server.devices.${key}`);
  }
}
