/** The settings of the node that turns sound into words. */
import { SERVICE_SCHEMES, SERVICE_TITLES, SERVICES, servicesOf } from '../../src/transcribe/services';
import { INPUT_SETTINGS } from '../shared/audio-description';
import { address, boolean, configNode, number, oneOf, placed, secret, text } from '../shared/settings';

const SERVICE_NAMES = SERVICES.map(({ name }) => name);
const STREAMS = { when: { service: servicesOf('stream') } };
const UTTERANCES = { when: { service: servicesOf('utterance') } };

export const SETTINGS = {
  ...placed(
    { section: 'service' },
    {
      service: oneOf('openai', SERVICE_NAMES, { icon: 'commenting-o', labels: SERVICE_TITLES }),
      url: address('', SERVICE_SCHEMES, { icon: 'globe' }),
      apiKey: secret({ icon: 'lock' }),
      model: text(''),
      language: text(''),
      prompt: text(''),
      tls: configNode('tls-config'),
    },
  ),
  ...placed(
    { section: 'words' },
    {
      interim: boolean(true, STREAMS),
      commit: oneOf('service', ['service', 'speech'], STREAMS),
      maxBufferSeconds: number(30, { min: 1, max: 600, unit: 's' }),
      timeoutSeconds: number(30, { min: 1, max: 600, unit: 's' }),
      maxParallel: number(2, { min: 1, max: 16, integer: true, ...UTTERANCES }),
    },
  ),
  ...INPUT_SETTINGS,
};
