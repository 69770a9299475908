/** The dialog of the audio server: a button that makes a password, and two remarks. */
import type { MakeOwn } from '../../editor';
import type { CurrentValue } from '../../editor/dialog';
import type { Words } from '../../editor/node-red';

const PASSWORD_LENGTH = 24;
/** A shorter one can be found by trying. */
const SAFE_LENGTH = 12;
/** Needs no encoding in a URL; without letters that look alike. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
/** What Node-RED shows in place of a password that it keeps. */
const KEPT = '__PWRD__';

export const dialog: MakeOwn = ($) => ({
  label() {
    return this['computerId'];
  },
  rows: { password: withGenerateButton },
  remarks: {
    'host-open': { after: 'tls', shown: isOpenToOthers },
    'password-short': { after: 'password', shown: isShort },
    'password-encoding': { after: 'password', shown: needsEncoding },
  },
  prepare(field) {
    const reveal = (): void => {
      field('password').val(generatePassword()).attr('type', 'text').trigger('change');
    };
    $('#orgo-audio-server-generate').on('click', reveal);
    if (!field('password').val()) reveal();
  },
});

function generatePassword(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(PASSWORD_LENGTH));
  return Array.from(numbers, (n) => ALPHABET[n % ALPHABET.length]).join('');
}

function isOpenToOthers(value: CurrentValue): boolean {
  const local = /^(127\.|::1$|localhost$|\$\{)/.test(value('host'));
  return value('listen') === 'own' && !local && (value('tls') === '' || value('tls') === '_ADD_');
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
