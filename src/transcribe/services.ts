/** All services, by the names that the setting `service` has for them: a new one is a file and a line here. */
import { badSetting } from '../audio/errors';
import type { Service, ServiceOptions } from './service';
import { ASSEMBLYAI } from './services/assemblyai';
import { DEEPGRAM } from './services/deepgram';
import { DEEPGRAM_FLUX } from './services/deepgram-flux';
import { ELEVENLABS } from './services/elevenlabs';
import { OPENAI } from './services/openai';
import { OPENAI_REALTIME } from './services/openai-realtime';
import { VOSK } from './services/vosk';
import { WHISPER_CPP } from './services/whisper-cpp';
import { WHISPERLIVE } from './services/whisperlive';
import { WYOMING } from './services/wyoming';

/** In the order in which they are offered: those that take whole utterances, then streams. */
export const SERVICES: readonly Service[] = [
  OPENAI,
  WHISPER_CPP,
  WYOMING,
  OPENAI_REALTIME,
  DEEPGRAM,
  DEEPGRAM_FLUX,
  ASSEMBLYAI,
  ELEVENLABS,
  VOSK,
  WHISPERLIVE,
];

/** What the dialog calls each. */
export const SERVICE_TITLES: Readonly<Record<string, string>> = Object.fromEntries(
  SERVICES.map(({ name, title }) => [name, title]),
);

/** That an address may begin with, whatever the service. */
export const SERVICE_SCHEMES: readonly string[] = [...new Set(SERVICES.flatMap(({ schemes }) => schemes))];

/** Names of the services of one kind. */
export function servicesOf(kind: Service['kind']): string[] {
  return SERVICES.filter((service) => service.kind === kind).map(({ name }) => name);
}

/** What a user entered for a service, as text. */
export interface EnteredService extends Omit<ServiceOptions, 'url'> {
  readonly url: string;
}

/**
 * The options of `service`: with its own address where none was entered.
 * @throws OrgoError `ORGO_BAD_SETTING` where an address or a key is missing, or the address can't be one
 */
export function serviceOptions(service: Service, entered: EnteredService): ServiceOptions {
  const { name, address, addressForm, schemes, needsKey } = service;
  if (entered.url === '' && address === undefined) {
    throw badSetting(`The service ${name} needs its address, such as ${addressForm}: url is blank`);
  }
  const text = entered.url === '' ? (address ?? '') : entered.url;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !schemes.includes(url.protocol) || url.hostname === '') {
    const wanted = schemes.map((scheme) => `${scheme}//`).join(' or ');
    throw badSetting(
      `The service ${name} needs an address that begins with ${wanted}, such as ${addressForm}: url is another`,
    );
  }
  const apiKey = entered.apiKey.trim();
  if (apiKey === '' && needsKey && entered.url === '') {
    throw badSetting(`The service ${name} needs an API key: apiKey is missing`);
  }
  return { ...entered, apiKey, url };
}
