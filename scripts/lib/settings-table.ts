/** Tables of a node's settings: as HTML for its help, as Markdown for docs/settings.md. */
import { choiceLabel, escapeHtml, labelOf } from '../../editor/rows';
import type { Words } from '../../editor/node-red';
import { demandOf } from '../../src/settings/read';
import type { Setting, Settings } from '../../src/settings/setting';
import { NODE_TYPES, settingsOf, wordsOf } from './node-settings';

const INTRODUCTION = `# The settings of all nodes

Made from the nodes' settings by \`npm run build\`.
A setting that a flow leaves out takes its default. One that is exactly \`\${NAME}\` is read from that environment variable
by Node-RED, so numbers and yes or no may be text.
`;

/** docs/settings.md */
export function settingsPage(): string {
  const sections = [];
  for (const type of NODE_TYPES) {
    sections.push(`## ${type}\n\n${markdownTable(settingsOf(type), wordsOf(type))}\n`);
  }
  return [INTRODUCTION, ...sections].join('\n');
}

/** Where a node's help wants its table. */
export const HELP_PLACEHOLDER = '<!-- settings -->';

/** One setting as the docs show it: plain text. */
interface Line {
  readonly label: string;
  readonly name: string;
  readonly allowed: string;
  readonly fallback: string;
  readonly tip: string;
}

function linesOf(settings: Settings, words: Words): Line[] {
  return Object.entries(settings).map(([name, setting]) => ({
    label: labelOf(name, setting, words),
    name,
    allowed: allowedOf(name, setting, words),
    fallback: fallbackOf(name, setting, words),
    tip: words(`tip.${name}`) ?? '',
  }));
}

export function helpTable(settings: Settings, words: Words): string {
  const rows = linesOf(settings, words).map(({ label, name, allowed, fallback, tip }) => {
    const cells = [
      `${escapeHtml(label)}<br><code>${name}</code>`,
      escapeHtml(allowed) + (tip === '' ? '' : `<br>${escapeHtml(tip)}`),
      escapeHtml(fallback),
    ];
    return `  <tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  return ['<table>', '  <tr><th>setting</th><th>allowed</th><th>default</th></tr>', ...rows, '</table>'].join(
    '\n',
  );
}

export function markdownTable(settings: Settings, words: Words): string {
  const rows = linesOf(settings, words).map(({ label, name, allowed, fallback, tip }) => {
    const cells = [`\`${name}\``, label, allowed, fallback, tip].map((cell) => cell.replaceAll('|', '\\|'));
    return `| ${cells.join(' | ')} |`;
  });
  const head = ['| setting | in the dialog | allowed | default | |', '|---|---|---|---|---|'];
  return [...head, ...rows].join('\n');
}

function allowedOf(name: string, setting: Setting, words: Words): string {
  if (setting.kind === 'choice') {
    return setting.values
      .map((value) => {
        const label = choiceLabel(name, value, setting, words);
        const shown = value === '' ? 'blank' : String(value);
        return label === shown ? shown : `${shown}: ${label}`;
      })
      .join(' · ');
  }
  if (setting.kind === 'secret') return 'text, kept as a credential';
  const demand = demandOf(setting);
  return demand.startsWith('be ') ? demand.slice('be '.length) : `text; it must ${demand}`;
}

function fallbackOf(name: string, setting: Setting, words: Words): string {
  if (setting.fallback !== undefined && setting.fallback !== '') return String(setting.fallback);
  if ('required' in setting && setting.required) return 'none: it is needed';
  const meaning =
    setting.kind === 'choice' ? choiceLabel(name, '', setting, words) : words(`placeholder.${name}`);
  return meaning === undefined || meaning === '' ? 'blank' : `blank: ${meaning}`;
}
