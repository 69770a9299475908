/** The html that Node-RED's editor loads for a node: everything in it follows from the node's folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE } from '../../editor';
import { catalogOf, NODES } from './node-settings';

/** What the palette shows of a node; undefined of a config node, which has no icon. */
function paletteEntryOf(type: string): string | undefined {
  if (!existsSync(join(NODES, type, 'icons', `${type}.svg`))) return undefined;
  const { input, output } = catalogOf(type);
  const outputs = typeof output === 'object' ? Object.keys(output) : [];
  const label =
    outputs.length > 0 ? `'${type}.output.' + ['${outputs.join("', '")}'][index]` : `'${type}.output'`;
  return `category: 'audio',
    color: '#7FB7BE',
    icon: '${type}.svg',
    paletteLabel: '${type.replace('orgo-', '').replaceAll('-', ' ')}',
    inputs: ${input === undefined ? 0 : 1},
    outputs: ${output === undefined ? 0 : outputs.length || 1},
    outputLabels(index) {
      return this._(${label});
    },`;
}

/**
 * The html of a node: its folder's own, where there is one, else what follows from the folder. It holds a plain object,
 * written out: the flow library's tools read a node's type, category and ports from it.
 */
export function nodeHtml(type: string): string {
  const own = join(NODES, type, `${type}.html`);
  if (existsSync(own)) return readFileSync(own, 'utf8');
  const entry = paletteEntryOf(type);
  return `<script src="resources/${PACKAGE}/orgo-editor.js"></script>
<script type="text/javascript">
{
  const editor = orgoEditor.${entry === undefined ? 'configNode' : 'node'}('${type}');
  RED.nodes.registerType('${type}', {
    ${entry ?? "category: 'config',"}
    defaults: editor.defaults,
    credentials: editor.credentials,
    label: editor.label,
    labelStyle: editor.labelStyle,
    inputLabels: editor.inputLabels,
    oneditprepare: editor.oneditprepare,
    oneditsave: editor.oneditsave,
  });
}
</script>

<script type="text/html" data-template-name="${type}"></script>
`;
}
