import { describe, expect, test } from 'vitest';
import { generateClientKey, keyFileOf, keyIdOf, readKeyFile } from '../../../../shared/wire/identity/keys.ts';
import { proveRequest } from '../../../../shared/wire/identity/sign.ts';
import { annKeyFile } from '../../../client/ann.ts';

const { privateKey } = annKeyFile;
/** The public key of RFC 8032, section 7.1, test 2. */
const otherX = 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw';

test('the id of a key is its thumbprint: RFC 8037, appendix A.3', async () => {
  const { kty, crv, x } = privateKey;
  expect(await keyIdOf({ kty: kty as 'OKP', crv: crv as 'Ed25519', x })).toBe(
    'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  );
});

test('a key goes into a file and comes back the same', async () => {
  const key = await generateClientKey('phone-17');
  const file = await keyFileOf('https://api.test', key);
  const read = await readKeyFile(JSON.parse(JSON.stringify(file)));
  expect(read.endpoint).toBe('https://api.test');
  expect(read.key).toMatchObject({ client: 'phone-17', kid: key.kid, publicKey: key.publicKey });
});

test('a key made not to be extractable signs, and does not go into a file', async () => {
  const key = await generateClientKey('phone-17', false);
  expect(key.privateKey.extractable).toBe(false);
  await expect(proveRequest(key, { method: 'GET', url: 'https://a/b', body: new Uint8Array() }, 0)).resolves.toMatch(
    /^Tributary /,
  );
  await expect(keyFileOf('https://api.test', key)).rejects.toThrow(TypeError);
});

test.each(['', '../up', 'a b', 'ä', '-x', 'x'.repeat(65)])('no key is made for the name %j', async (name) => {
  await expect(generateClientKey(name)).rejects.toThrow(RangeError);
});

describe('a key file that is not one is refused, and its secret is not repeated', () => {
  test.each([
    ['nothing', undefined, 'document'],
    ['a list', [], 'document'],
    ['text', 'secret', 'document'],
    ['no endpoint', { ...annKeyFile, endpoint: undefined }, 'endpoint'],
    ['an endpoint of another kind', { ...annKeyFile, endpoint: 'ftp://api.test' }, 'endpoint'],
    ['no client', { ...annKeyFile, client: undefined }, 'client'],
    ['a client that is a path', { ...annKeyFile, client: '../ann' }, 'client'],
    ['no key', { ...annKeyFile, privateKey: undefined }, 'privateKey'],
    ['a key as text', { ...annKeyFile, privateKey: privateKey.d }, 'privateKey'],
    ['another curve', { ...annKeyFile, privateKey: { ...privateKey, crv: 'X25519' } }, 'privateKey'],
    ['another kind of key', { ...annKeyFile, privateKey: { ...privateKey, kty: 'oct' } }, 'privateKey'],
    ['no private half', { ...annKeyFile, privateKey: { ...privateKey, d: undefined } }, 'privateKey.d'],
    [
      'a shorter private half',
      { ...annKeyFile, privateKey: { ...privateKey, d: privateKey.d.slice(1) } },
      'privateKey.d',
    ],
    [
      'base64 that is not for URLs',
      { ...annKeyFile, privateKey: { ...privateKey, d: `${privateKey.d.slice(1)}+` } },
      'privateKey.d',
    ],
    ['the public half of another key', { ...annKeyFile, privateKey: { ...privateKey, x: otherX } }, 'privateKey'],
  ])('%s', async (_, content, field) => {
    const error = await readKeyFile(content).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'key-malformed' });
    const { message } = error as Error;
    expect(message).toContain(`key file: ${field}: `);
    expect(message).not.toContain(privateKey.d.slice(1));
    expect(message).not.toContain('secret');
  });
});
