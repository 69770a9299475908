/** The dialog of the audio server: devices to choose from, a button that makes a password, the page's address, remarks. */
import type { MakeOwn } from '../../editor';
import type { CurrentValue } from '../../editor/dialog';
import type { Place, Words } from '../../editor/node-red';
import { escapeHtml } from '../../editor/rows';
import { KEPT } from '../dialogs/kept';
import { DeviceList, withDeviceList } from './dialog-devices';

const PASSWORD_LENGTH = 24;
/** A shorter one can be found by trying. */
const SAFE_LENGTH = 12;
/** Needs no encoding in a URL; without letters that look alike. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
const PAGE_ID = 'orgo-audio-server-page';

export const dialog: MakeOwn = ($, place) => ({
  label() {
    return this['computerId'];
  },
  test: '/orgo-audio-server/test',
  rows: { password: withGenerateButton, listenPage: withPageAddress, device: withDeviceList },
  remarks: {
    'host-open': { after: 'tls', shown: isOpenToOthers },
    'password-short': { after: 'password', shown: isShort },
    'password-encoding': { after: 'password', shown: needsEncoding },
  },
  prepare(field, ask) {
    const reveal = (): void => {
      field('password').val(generatePassword()).attr('type', 'text').trigger('change');
    };
    $('#orgo-audio-server-generate').on('click', reveal);
    if (!field('password').val()) reveal();
    new DeviceList($, this, field, ask).open();
  },
  refresh(value) {
    const address = pageAddress(value, place());
    $(`#${PAGE_ID}`).toggle(address !== undefined);
    $(`#${PAGE_ID} a`)
      .attr('href', address ?? '')
      .text(address ?? '');
  },
});

/** Where the page is once this is deployed; undefined where there is none, or nobody can know here. */
function pageAddress(value: CurrentValue, { protocol, host, hostname, nodeRoot }: Place): string | undefined {
  const fields = ['host', 'port', 'path', 'listenPage'].map(value);
  if (value('listenPage') !== 'true' || fields.some((text) => text.startsWith('${'))) return undefined;
  if (value('listen') === 'node-red') {
    if (nodeRoot === undefined) return undefined;
    const root = nodeRoot.replace(/^\/+|\/+$/g, '');
    return `${protocol}//${host}${root === '' ? '' : `/${root}`}${value('path')}/listen`;
  }
  if (value('port') === '0') return undefined;
  const isEvery = ['0.0.0.0', '::'].includes(value('host'));
  const bound = value('host').includes(':') ? `[${value('host')}]` : value('host');
  const scheme = hasTls(value) ? 'https' : 'http';
  return `${scheme}://${isEvery ? hostname : bound}:${value('port')}/listen`;
}

/** Below the setting that turns the page off. */
function withPageAddress(row: string, words: Words): string {
  const text = escapeHtml(words('page') ?? '');
  return (
    `${row}<div class="form-row" id="${PAGE_ID}" style="overflow-wrap: anywhere"><span>${text}</span> ` +
    '<a target="_blank" rel="noopener" style="text-decoration: underline"></a></div>'
  );
}

function hasTls(value: CurrentValue): boolean {
  return value('tls') !== '' && value('tls') !== '_ADD_';
}

function generatePassword(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(PASSWORD_LENGTH));
  return Array.from(numbers, (n) => ALPHABET[n % ALPHABET.length]).join('');
}

function isOpenToOthers(value: CurrentValue): boolean {
  const local = /^(127\.|::1$|localhost$|\$\{)/.test(value('host'));
  return value('listen') === 'own' && !local && !hasTls(value);
}

/** The password as it was typed; blank where Node-RED keeps it, or an environment variable holds it. */
function typedPassword(value: CurrentValue): string {
  const password = value('password');
  return password === KEPT || password.startsWith('${') ? '' : password;
}

function isShort(value: CurrentValue): boolean {
  const { length } = typedPassword(value);
  return length > 0 && length < SAFE_LENGTH;
}

function needsEncoding(value: CurrentValue): boolean {
  const password = typedPassword(value);
  return encodeURIComponent(password) !== password;
}

function withGenerateButton(row: string, words: Words): string {
  const what = words('button.generate');
  const button =
    `<button type="button" class="red-ui-button" id="orgo-audio-server-generate" title="${what}" aria-label="${what}">` +
    '<i class="fa fa-refresh"></i></button>';
  return row
    .replace('<input ', '<input style="width: calc(70% - 45px)" ')
    .replace('</div>', ` ${button}</div>`);
}
