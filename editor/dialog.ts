/** A node's open dialog: fields filled from the settings, rows shown as they depend on each other, numbers saved as numbers. */
import { environmentVariableOf, readSetting } from '../src/settings/read';
import type { Setting, Settings } from '../src/settings/setting';
import type { EditorNode, Field, JQuery } from './node-red';

/** The value that a field holds now. */
export type CurrentValue = (name: string) => string;

export interface DialogOptions {
  readonly $: JQuery;
  readonly settings: Settings;
  readonly prefix: string;
}

export class Dialog {
  private readonly $: JQuery;
  private readonly settings: Settings;
  private readonly prefix: string;

  constructor({ $, settings, prefix }: DialogOptions) {
    this.$ = $;
    this.settings = settings;
    this.prefix = prefix;
  }

  field(name: string): Field {
    return this.$(`#${this.prefix}${name}`);
  }

  /** What a field holds now, as text: `true` or `false` for a checkbox. */
  value(name: string): string {
    const field = this.field(name);
    if (field.is(':checkbox')) return String(field.is(':checked'));
    return textOf(field.val()).trim();
  }

  /** What these fields hold now, as it would be saved: a secret as it is, with the spaces around it. */
  entered(names: readonly string[]): Record<string, string> {
    const entries = names.map((name) => {
      const isSecret = this.settings[name]?.kind === 'secret';
      return [name, isSecret ? textOf(this.field(name).val()) : this.value(name)];
    });
    return Object.fromEntries(entries) as Record<string, string>;
  }

  /** Shows in each field what `node` holds, or the default that it takes where a flow leaves it out. */
  fill(node: EditorNode): void {
    for (const [name, setting] of Object.entries(this.settings)) this.fillOne(name, setting, node[name]);
  }

  /** Shows the rows whose `when` is met, and the headings of sections that have such a row. */
  showRows(): void {
    const sections = new Map<string, boolean>();
    for (const [name, { section }] of Object.entries(this.settings)) {
      const shown = this.isShown(name);
      this.$(`[data-setting="${this.prefix}${name}"]`).toggle(shown);
      if (section !== undefined) sections.set(section, shown || sections.get(section) === true);
    }
    for (const [section, shown] of sections)
      this.$(`[data-section="${this.prefix}${section}"]`).toggle(shown);
  }

  /**
   * Gives `node` numbers where its fields hold text. What is no number that the setting allows stays as it was
   * typed, a blank field blank: Node-RED shows it as wrong, and nothing turns into a 0.
   */
  save(node: EditorNode): void {
    for (const [name, setting] of Object.entries(this.settings)) {
      if (setting.kind !== 'number' && setting.kind !== 'choice') continue;
      const text = this.value(name);
      const reading = readSetting(setting, text);
      const isNumber = 'value' in reading && typeof reading.value === 'number';
      node[name] = isNumber ? reading.value : text;
    }
  }

  private fillOne(name: string, setting: Setting, saved: unknown): void {
    const field = this.field(name);
    const value = textOf(saved ?? setting.fallback);
    switch (setting.kind) {
      case 'choice': {
        // What the list lacks, such as ${NAME}, becomes an option, so that opening and closing keeps it.
        const known = field
          .find('option')
          .get()
          .some((option) => option.value === value);
        if (!known) field.append(this.$('<option>').val(value).text(value));
        field.val(value);
        break;
      }
      case 'boolean': {
        const reading = readSetting(setting, saved);
        if ('value' in reading) field.prop('checked', reading.value === true);
        // A checkbox can't hold ${NAME}.
        else
          field.replaceWith(
            this.$('<input type="text">')
              .attr('id', this.prefix + name)
              .val(saved),
          );
        break;
      }
      case 'number':
      case 'text':
        if (saved === undefined || saved === null) field.val(value);
        break;
      case 'secret':
      case 'config':
        break;
    }
  }

  private isShown(name: string): boolean {
    const conditions = Object.entries(this.settings[name]?.when ?? {});
    return conditions.every(([other, values]) => {
      const value = this.value(other);
      // Nobody knows here what an environment variable will hold.
      const met = environmentVariableOf(value) !== undefined || values.some((v) => String(v) === value);
      return met && this.isShown(other);
    });
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
