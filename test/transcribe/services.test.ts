import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SERVICES, serviceOptions } from '../../src/transcribe/services';
import { NOTHING_ENTERED } from './support/session-rig';

describe('every service', () => {
  for (const service of SERVICES) {
    it(`${service.name} says what is missing or wrong in what was entered`, () => {
      const { address, addressForm, needsKey } = service;
      const own = { ...NOTHING_ENTERED, url: addressForm };
      assert.equal(serviceOptions(service, own).url.href, new URL(addressForm).href);
      for (const url of ['nonsense', 'ftp://host', 'https://', '//host']) {
        assert.throws(() => serviceOptions(service, { ...own, url }), /needs an address that begins with/);
      }
      const blank = { ...NOTHING_ENTERED, apiKey: 'key' };
      if (address === undefined) assert.throws(() => serviceOptions(service, blank), /url is blank/);
      else assert.equal(serviceOptions(service, blank).url.href, new URL(address).href);
      if (needsKey) assert.throws(() => serviceOptions(service, NOTHING_ENTERED), /apiKey is missing/);
    });
  }

  it('has a name of its own', () => {
    assert.equal(new Set(SERVICES.map(({ name }) => name)).size, SERVICES.length);
  });
});
