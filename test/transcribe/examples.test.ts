import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SERVICES } from '../../src/transcribe/services';
import { importExample, nodeOf } from '../support/examples';

describe('the example of every service', () => {
  for (const { name, kind, address, schemes } of SERVICES) {
    it(`${name} is complete, and holds no key`, async () => {
      const flow = await importExample(`transcription/${name}`);
      const node = nodeOf(flow, 'orgo-audio-transcribe');
      assert.equal(node['service'], name);
      // Keys and addresses are environment variables alone.
      const { apiKey = '' } = (node['credentials'] ?? {}) as { apiKey?: string };
      assert.match(`${String(node['url'])}|${apiKey}`, /^(\$\{[A-Z_]+\})?\|(\$\{[A-Z_]+\})?$/);
      const variable = /\$\{([A-Z_]+)\}/.exec(address === undefined ? String(node['url']) : apiKey)?.[1];
      assert.ok(variable !== undefined, 'the address or the key is a variable');
      if (address === undefined) {
        const [, value] = nodeEnv(flow).find(([entry]) => entry === variable) ?? [];
        assert.ok(
          schemes.some((scheme) => value?.includes(`"${scheme}//`)),
          `it starts as ${String(value)}`,
        );
      }
      const { name: title, info } = nodeOf(flow, 'comment') as unknown as { name: string; info: string };
      assert.equal(title, `Fill in: ${variable}`);
      for (const told of [variable, 'What it costs', 'ilence', 'key']) assert.ok(info.includes(told), told);
      // Where silence never comes, the service can't hear the end of a turn.
      const { gate } = nodeOf(flow, 'orgo-audio-vad');
      if (kind === 'stream') assert.equal(node['commit'], gate === 'drop' ? 'speech' : 'service');
    });
  }
});

function nodeEnv(flow: Awaited<ReturnType<typeof importExample>>): [string, string][] {
  const { env } = nodeOf(flow, 'tab') as unknown as { env: { name: string; value: string }[] };
  return env.map(({ name, value }) => [name, value]);
}
