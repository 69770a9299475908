/** The rows of a node's dialog, as HTML: one a setting, its label tied to its input, headings between sections. */
import type { ChoiceSetting, Setting, Settings } from '../src/settings/setting';
import type { Words } from './node-red';

export interface RowsOptions {
  readonly settings: Settings;
  /** What ids begin with: `node-input-`, or `node-config-input-` for a config node. */
  readonly prefix: string;
  readonly words: Words;
  /** Given the usual row of a setting, what stands there instead. */
  readonly rows?: Readonly<Record<string, (row: string) => string>>;
}

/** Node-RED's own 100 px are too few for a label with a unit; its fields take 70 %. */
const LABEL_STYLE = 'width: 28%';
const CHECKBOX_STYLE = 'width: auto; margin: 0 6px 0 0; vertical-align: baseline';

/** All rows of a dialog, the node's name first. */
export function rowsOf({ settings, prefix, words, rows = {} }: RowsOptions): string {
  const all = [rowOf('name', { kind: 'text', fallback: '', icon: 'tag' }, prefix, words)];
  const entries = Object.entries(settings);
  for (const [index, [name, setting]] of entries.entries()) {
    const { section } = setting;
    if (section !== undefined && section !== entries[index - 1]?.[1].section) {
      const heading = escapeHtml(words(`section.${section}`) ?? section);
      all.push(`<h4 data-section="${prefix}${section}">${heading}</h4>`);
    }
    const row = rowOf(name, setting, prefix, words);
    all.push(rows[name]?.(row) ?? row);
  }
  return all.join('\n');
}

/** What the dialog, help and docs call a setting: `Sample rate, Hz`. */
export function labelOf(name: string, setting: Setting, words: Words): string {
  const label = words(`label.${name}`) ?? setting.label ?? name;
  return 'unit' in setting ? `${label}, ${setting.unit}` : label;
}

/** What a choice is called: its word in the catalog, else its own, else the value itself. */
export function choiceLabel(
  name: string,
  value: string | number,
  { labels }: Pick<ChoiceSetting, 'labels'>,
  words: Words,
): string {
  return words(`choice.${name}.${value === '' ? 'blank' : value}`) ?? labels?.[value] ?? String(value);
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function rowOf(name: string, setting: Setting, prefix: string, words: Words): string {
  const id = prefix + name;
  const label = escapeHtml(labelOf(name, setting, words));
  if (setting.kind === 'boolean') {
    const checkbox = `<input type="checkbox" id="${id}" style="${CHECKBOX_STYLE}">`;
    return row(id, `<label for="${id}" style="width: auto">${checkbox}<span>${label}</span></label>`);
  }
  const icon = setting.icon === undefined ? '' : `<i class="fa fa-${setting.icon}"></i> `;
  return row(
    id,
    `<label for="${id}" style="${LABEL_STYLE}">${icon}<span>${label}</span></label>` +
      inputOf(name, setting, id, words),
  );
}

function row(id: string, content: string): string {
  return `<div class="form-row" data-setting="${id}">${content}</div>`;
}

function inputOf(name: string, setting: Setting, id: string, words: Words): string {
  const attributes = `id="${id}"${attribute('title', words(`tip.${name}`))}`;
  if (setting.kind === 'choice') {
    const options = setting.values.map(
      (value) => `<option value="${value}">${escapeHtml(choiceLabel(name, value, setting, words))}</option>`,
    );
    return `<select ${attributes} style="width: 70%">${options.join('')}</select>`;
  }
  const hint = attribute('placeholder', words(`placeholder.${name}`));
  if (setting.kind === 'secret') {
    return `<input type="password" autocomplete="new-password" ${attributes}${hint}>`;
  }
  const suggestions = setting.kind === 'number' ? setting.suggestions : undefined;
  if (!suggestions) return `<input type="text" ${attributes}${hint}>`;
  const options = suggestions.map((value) => `<option value="${value}"></option>`).join('');
  return `<input type="text" ${attributes}${hint} list="${id}-list"><datalist id="${id}-list">${options}</datalist>`;
}

function attribute(name: string, text: string | undefined): string {
  return text === undefined ? '' : ` ${name}="${escapeHtml(text)}"`;
}
