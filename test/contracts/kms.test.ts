import { generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GetPublicKeyCommand, KMSClient, ListKeysCommand, SignCommand } from '@aws-sdk/client-kms';
import { importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KmsSealer, rawSignature } from '../../functions/aws/kms-sealer.ts';
import { createKms } from '../../local/cloud/kms/service.ts';
import type { LocalService } from '../../local/cloud/service.ts';
import { clientConfig, countingMeter, failure, guardWith, temporaryDirectory } from './endpoint.ts';

const arn = 'arn:aws:kms:us-east-1:000000000000:key/seal';
const reader = {
  accessKeyId: 'AKIAREADER',
  secretAccessKey: 'reader-secret',
  name: 'function Reader (role ReaderRole)',
  policies: [{ Statement: { Effect: 'Allow' as const, Action: 'kms:GetPublicKey', Resource: arn } }],
};
const meter = countingMeter();
let storage: Awaited<ReturnType<typeof temporaryDirectory>>;
let local: LocalService;
let kms: KMSClient;
let sealer: KmsSealer;

const start = () =>
  createKms({ dir: join(storage.dir, 'kms'), guard: guardWith(reader), meter, keys: [{ id: 'seal', arn }] });

beforeAll(async () => {
  storage = await temporaryDirectory();
  local = await start();
  kms = new KMSClient(clientConfig(local.url));
  sealer = new KmsSealer(kms, arn);
});

afterAll(async () => {
  kms.destroy();
  await local.close();
  await storage.remove();
});

describe('a key that signs', () => {
  test('gives signatures that its public key verifies, each 64 bytes', async () => {
    const key = await importJWK(await sealer.publicKey(), 'ES256');
    if (key instanceof Uint8Array) throw new TypeError('a symmetric key');
    // Small r and s, which DER shortens, come about one in 128 times.
    for (let i = 0; i < 300; i++) {
      const message = randomBytes(1 + i);
      const signature = await sealer.sign(message);
      expect(signature).toHaveLength(64);
      expect(
        await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, new Uint8Array(signature), message),
      ).toBe(true);
    }
    expect(meter.counts['kms.signatures']).toBe(300);
  });

  test('is the same after a restart, and nobody but its owner may read it', async () => {
    const before = await sealer.publicKey();
    await local.close();
    local = await start();
    const again = new KMSClient(clientConfig(local.url));
    expect(await new KmsSealer(again, arn).publicKey()).toEqual(before);
    kms.destroy();
    kms = again;
    sealer = new KmsSealer(kms, arn);
    const [file] = await readdir(join(storage.dir, 'kms'));
    expect((await stat(join(storage.dir, 'kms', file))).mode & 0o077).toBe(0);
  });

  test('signs for those alone who may', async () => {
    const limited = new KMSClient(clientConfig(local.url, reader));
    await expect(new KmsSealer(limited, arn).publicKey()).resolves.toMatchObject({ kty: 'EC' });
    const refused = await failure(new KmsSealer(limited, arn).sign(randomBytes(8)));
    expect(refused).toMatchObject({ name: 'AccessDeniedException', message: expect.stringContaining('kms:Sign') });
    limited.destroy();
  });

  test('refuses what KMS refuses', async () => {
    const signing = { KeyId: arn, SigningAlgorithm: 'ECDSA_SHA_256', MessageType: 'RAW' } as const;
    const tooLong = new SignCommand({ ...signing, Message: randomBytes(4_097) });
    expect(await failure(kms.send(tooLong))).toMatchObject({ name: 'ValidationException' });
    const unknown = new GetPublicKeyCommand({ KeyId: `${arn}x` });
    expect(await failure(kms.send(unknown))).toMatchObject({ name: 'NotFoundException' });
    const other = new SignCommand({ ...signing, SigningAlgorithm: 'RSASSA_PSS_SHA_256', Message: randomBytes(4) });
    expect(await failure(kms.send(other))).toMatchObject({ name: 'ValidationException' });
    expect(await failure(kms.send(new ListKeysCommand({})))).toMatchObject({ name: 'UnknownOperationException' });
  });
});

test('a DER signature becomes r and s; anything else is refused', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = Buffer.from('message');
  const der = sign('sha256', message, privateKey);
  const raw = rawSignature(der);
  expect(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true);
  for (let length = 0; length < der.length; length++) {
    expect(() => rawSignature(der.subarray(0, length))).toThrow('signature-malformed');
  }
  expect(() => rawSignature(Buffer.concat([der, Buffer.of(0)]))).toThrow('signature-malformed');
});
