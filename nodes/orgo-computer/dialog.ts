/** The dialog of the computer: a list of the usual addresses, and remarks on the one that is entered. */
import type { MakeOwn } from '../../editor';
import type { Words } from '../../editor/node-red';

const PRESETS: Readonly<Record<string, string>> = {
  automatic: '',
  hosted: 'wss://{computer_id}.orgo.dev/audio',
  desktop: 'wss://www.orgo.ai/desktops/{computer_id}/ws/audio',
  own: 'ws://127.0.0.1:8765/audio',
};

export const dialog: MakeOwn = ($) => ({
  label() {
    return this['computerId'] || this['audioUrl'];
  },
  test: '/orgo-computer/test',
  rows: { audioUrl: withPresets },
  remarks: {
    automatic: { after: 'audioUrl', shown: (value) => value('audioUrl') === '' },
    plain: { after: 'audioUrl', shown: (value) => isPlain(value('audioUrl')) },
    own: {
      after: 'computerId',
      shown: (value) => !needsComputerId(value('audioUrl')) && !value('audioUrl').startsWith('${'),
    },
  },
  checks: {
    computerId(value) {
      const field = $('#node-config-input-audioUrl');
      const address = textOf(field.is(':visible') ? field.val() : this['audioUrl']);
      return textOf(value) !== '' || !needsComputerId(address) || 'computerId is empty';
    },
  },
  prepare(field) {
    const presets = $('#orgo-computer-preset');
    presets.on('change', () => {
      const address = PRESETS[String(presets.val())];
      if (address === undefined) field('audioUrl').trigger('focus');
      else field('audioUrl').val(address).trigger('change');
    });
  },
  refresh: (value) => void $('#orgo-computer-preset').val(presetOf(value('audioUrl'))),
});

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** Automatic asks the API for the computer by its id; a template puts the id into the address. */
function needsComputerId(address: string): boolean {
  return address === '' || address.includes('{computer_id}');
}

function presetOf(address: string): string {
  return Object.keys(PRESETS).find((name) => PRESETS[name] === address) ?? 'other';
}

function isPlain(address: string): boolean {
  return address.startsWith('ws:') && !/^ws:\/\/(127\.|localhost|\[::1\])/.test(address);
}

/** A list of the usual addresses, above the field that holds one. */
function withPresets(row: string, words: Words): string {
  const options = [...Object.keys(PRESETS), 'other'].map(
    (name) => `<option value="${name}">${words(`preset.${name}`)}</option>`,
  );
  const label = `<i class="fa fa-desktop"></i> <span>${words('label.preset')}</span>`;
  // Without white space between the two, as the other rows are.
  return (
    `<div class="form-row"><label for="orgo-computer-preset" style="width: 28%">${label}</label>` +
    `<select id="orgo-computer-preset" style="width: 70%">${options.join('')}</select></div>${row}`
  );
}
