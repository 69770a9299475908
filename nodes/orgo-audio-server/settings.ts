/** The settings of an audio server's node: what a flow leaves out takes its default, what is wrong is refused. */
import { DEFAULT_SOURCE, SOURCE_SETTINGS, SOURCE_TITLES, SOURCE_TYPES } from '../../src/capture/sources';
import { DEFAULT_MAX_BACKLOG_MS, DEFAULT_MAX_LISTENERS } from '../../src/server/options';
import { INPUT_SETTINGS } from '../shared/audio-description';
import { boolean, configNode, number, oneOf, placed, secret, text } from '../shared/settings';

const LISTENS_ITSELF = { listen: ['own'] };

export const SETTINGS = {
  ...placed(
    { section: 'source' },
    {
      source: oneOf(DEFAULT_SOURCE, SOURCE_TYPES, { icon: 'volume-up', labels: SOURCE_TITLES }),
      ...SOURCE_SETTINGS,
    },
  ),
  ...placed({ when: { source: ['input'] } }, INPUT_SETTINGS),
  ...placed(
    { section: 'listen' },
    {
      listen: oneOf('own', ['own', 'node-red'], { icon: 'plug' }),
      host: text('127.0.0.1', { check: 'listen-address', when: LISTENS_ITSELF }),
      port: number(8765, { min: 0, max: 65535, integer: true, when: LISTENS_ITSELF }),
      tls: configNode('tls-config', { when: LISTENS_ITSELF }),
      path: text('/audio', { check: 'url-path' }),
      listenPage: boolean(true),
      computerId: text('', { check: 'computer-id' }),
    },
  ),
  ...placed(
    { section: 'access' },
    {
      password: secret({ required: true, icon: 'lock' }),
      apiKey: secret(),
      metricsToken: secret(),
      allowedOrigins: text('', { check: 'origins' }),
      trustProxy: boolean(false),
    },
  ),
  ...placed(
    { section: 'limits' },
    {
      maxListeners: number(DEFAULT_MAX_LISTENERS, { min: 1, max: 100_000, integer: true }),
      maxBacklogMs: number(DEFAULT_MAX_BACKLOG_MS, { min: 40, max: 60_000, unit: 'ms' }),
    },
  ),
};
