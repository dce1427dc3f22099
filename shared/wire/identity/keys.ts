import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';
import { z } from 'zod';
import { FlError } from '../../core/errors.ts';
import type { ClientId } from '../../core/names.ts';
import { clientIdSchema } from '../names.ts';

/** EdDSA over Curve25519 under its fully specified name (RFC 8037, 9864). */
export const signatureAlgorithm = 'Ed25519';

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, '32 bytes in base64url');
const okp = { kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate };

/** An Ed25519 public key as a JSON Web Key (RFC 8037), nothing besides. */
export const publicKeySchema = z.strictObject(okp);
export type PublicKey = z.output<typeof publicKeySchema>;
const privateKeySchema = z.object({ ...okp, d: coordinate });

/** A key's RFC 7638 thumbprint, 43 characters: `kid` in every signature. */
export type KeyId = string;
export const keyIdSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'a key id is an RFC 7638 SHA-256 thumbprint');

/** A client and the key that it signs with. In browsers the private key need not be extractable. */
export interface ClientKey {
  readonly client: ClientId;
  readonly kid: KeyId;
  readonly publicKey: PublicKey;
  readonly privateKey: CryptoKey;
}

/** A key file: what a client keeps, and what an operator hands to a silo. Secret. */
export const keyFileSchema = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }),
  client: clientIdSchema,
  privateKey: privateKeySchema,
});
export type KeyFile = z.output<typeof keyFileSchema>;

export function keyIdOf(publicKey: PublicKey): Promise<KeyId> {
  return calculateJwkThumbprint(publicKey);
}

/** @param extractable whether it can be written to a key file */
export async function generateClientKey(client: ClientId, extractable = true): Promise<ClientKey> {
  const { publicKey, privateKey } = await generateKeyPair(signatureAlgorithm, { extractable });
  const jwk = publicKeySchema.parse(pick(await exportJWK(publicKey)));
  return { client, kid: await keyIdOf(jwk), publicKey: jwk, privateKey };
}

/** @throws {FlError} `key-malformed` */
export async function readKeyFile(content: unknown): Promise<{ readonly endpoint: string; readonly key: ClientKey }> {
  const { data, error } = keyFileSchema.safeParse(content);
  if (!data) {
    const [{ path, message }] = error.issues;
    throw new FlError('key-malformed', `key file: ${path.join('.') || 'document'}: ${message}`);
  }
  const { endpoint, client, privateKey } = data;
  const publicKey = pick(privateKey);
  try {
    const key = await importJWK(privateKey, signatureAlgorithm, { extractable: true });
    if (key instanceof Uint8Array) throw new TypeError('a symmetric key');
    return { endpoint, key: { client, kid: await keyIdOf(publicKey), publicKey, privateKey: key } };
  } catch (cause) {
    throw new FlError('key-malformed', 'key file: privateKey: its x and d are not an Ed25519 key pair', { cause });
  }
}

/** @throws {TypeError} if the private key is not extractable */
export async function keyFileOf(endpoint: string, { client, privateKey }: ClientKey): Promise<KeyFile> {
  return { endpoint, client, privateKey: privateKeySchema.parse(await exportJWK(privateKey)) };
}

function pick({ kty, crv, x }: { kty?: string; crv?: string; x?: string }): PublicKey {
  return publicKeySchema.parse({ kty, crv, x });
}
