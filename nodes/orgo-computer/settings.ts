/** The settings of the config node that names a computer. */
import { HOSTED_API_URL } from '../../src/protocol/urls';
import { address, configNode, placed, secret, text } from '../shared/settings';

export const SETTINGS = {
  ...placed(
    { section: 'which' },
    {
      /** Blank: the API is asked. */
      audioUrl: address('', ['wss:', 'ws:']),
      computerId: text(),
      tls: configNode('tls-config'),
    },
  ),
  ...placed(
    { section: 'right' },
    {
      password: secret({ icon: 'lock' }),
      apiKey: secret({ icon: 'key' }),
      apiUrl: address(HOSTED_API_URL, ['https:', 'http:']),
    },
  ),
};
