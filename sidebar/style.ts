/** How the tab looks: by the colours of the editor's theme alone. */
export const STYLE = `
.orgo-audio-tab { height: 100%; overflow-y: auto; color: var(--red-ui-primary-text-color); font-size: 13px; line-height: 1.4; }
.orgo-audio-tab ul { list-style: none; margin: 0; padding: 0; }
.orgo-audio-notice:not(:empty) { padding: 10px; }
.orgo-audio-item { padding: 8px 10px; border-bottom: 1px solid var(--red-ui-secondary-border-color); }
.orgo-audio-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 8px; }
.orgo-audio-name { background: none; border: 0; padding: 0; font: inherit; font-weight: bold; color: inherit; text-align: left; overflow-wrap: anywhere; }
.orgo-audio-name:hover, .orgo-audio-name:focus { text-decoration: underline; }
.orgo-audio-meter { position: relative; height: 8px; margin: 5px 0; background: var(--red-ui-tertiary-background); border: 1px solid var(--red-ui-secondary-border-color); }
.orgo-audio-rms { height: 100%; background: var(--red-ui-node-status-colors-green, var(--red-ui-text-color-success)); }
.orgo-audio-hold { position: absolute; top: 0; width: 2px; height: 100%; background: var(--red-ui-primary-text-color); }
.orgo-audio-spectrogram { display: block; width: 100%; height: 56px; background: var(--red-ui-secondary-background); border: 1px solid var(--red-ui-secondary-border-color); box-sizing: border-box; }
.orgo-audio-colours { color: var(--red-ui-primary-text-color); border-top-color: var(--red-ui-node-status-colors-blue, var(--red-ui-text-color-link)); }
.orgo-audio-numbers { min-height: 1.4em; font-variant-numeric: tabular-nums; }
.orgo-audio-controls { display: flex; align-items: center; gap: 6px; margin-top: 4px; }
.orgo-audio-controls input { flex: 1 1 30px; min-width: 30px; width: 30px; margin: 0; }
.orgo-audio-problem:not(:empty) { margin-top: 4px; font-weight: bold; overflow-wrap: anywhere; }
`;
