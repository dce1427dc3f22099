import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AwsJsonError, type JsonObject, startJsonServer } from '../iam/json-server.ts';
import type { Guard, LocalService, Meter } from '../service.ts';
import type { SigningKeyPlan } from '../template/plan.ts';

export interface KmsOptions {
  /** Holds the private keys. */
  readonly dir: string;
  readonly port?: number;
  readonly guard: Guard;
  readonly meter: Meter;
  readonly keys: readonly SigningKeyPlan[];
}

/** What KMS signs as it is; more has to be hashed first. */
const mostMessageBytes = 4_096;

const keyId = z.string();
const signInput = z.strictObject({
  KeyId: keyId,
  Message: z.base64(),
  MessageType: z.literal('RAW'),
  SigningAlgorithm: z.literal('ECDSA_SHA_256'),
});
const publicKeyInput = z.strictObject({ KeyId: keyId });

/** KMS on 127.0.0.1, as far as signing with P-256 keys goes: `Sign` of raw messages and `GetPublicKey`. */
export async function createKms({ dir, port, guard, meter, keys }: KmsOptions): Promise<LocalService> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const held = new Map(keys.map(({ id, arn }) => [arn, { id, arn, privateKey: openKey(join(dir, `${id}.pem`)) }]));
  const keyNamed = (name: string) => {
    const found = held.get(name) ?? [...held.values()].find(({ id }) => id === name);
    if (!found) throw new AwsJsonError('NotFoundException', `Key '${name}' does not exist`);
    return found;
  };

  const operations: Readonly<Record<string, (input: JsonObject, accessKeyId: string) => JsonObject>> = {
    Sign(input, accessKeyId) {
      const { KeyId, Message, SigningAlgorithm } = parse(signInput, input);
      const { arn, privateKey } = keyNamed(KeyId);
      guard.authorize(accessKeyId, 'kms:Sign', arn);
      const message = Buffer.from(Message, 'base64');
      if (message.length < 1 || message.length > mostMessageBytes) {
        throw new AwsJsonError('ValidationException', `Message has ${message.length} bytes, expected 1 to 4096`);
      }
      meter.count('kms.signatures');
      return { KeyId: arn, Signature: sign('sha256', message, privateKey).toString('base64'), SigningAlgorithm };
    },
    GetPublicKey(input, accessKeyId) {
      const { arn, privateKey } = keyNamed(parse(publicKeyInput, input).KeyId);
      guard.authorize(accessKeyId, 'kms:GetPublicKey', arn);
      const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
      return {
        KeyId: arn,
        PublicKey: der.toString('base64'),
        KeySpec: 'ECC_NIST_P256',
        KeyUsage: 'SIGN_VERIFY',
        SigningAlgorithms: ['ECDSA_SHA_256'],
      };
    },
  };
  const server = await startJsonServer({
    service: 'kms',
    target: 'TrentService',
    guard,
    maxBodyBytes: 64 * 1024,
    port,
    handle: async ({ operation, input, accessKeyId }) => {
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (!run) throw new AwsJsonError('UnknownOperationException', `${operation} is not supported`);
      return run(input, accessKeyId);
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, close: () => server.close() };
}

function openKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    // Renamed into place: a kill leaves a whole key or none.
    writeFileSync(`${file}.new`, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return createPrivateKey(readFileSync(file));
}

function parse<T>(schema: z.ZodType<T>, input: JsonObject): T {
  const { success, data, error } = schema.safeParse(input);
  if (success) return data;
  throw new AwsJsonError('ValidationException', z.prettifyError(error));
}
