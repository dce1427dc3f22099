import { FlError } from '../../core/errors.ts';
import { type ClientId, clientIdPattern } from '../../core/names.ts';

/** A client's key. Checked by hand and signed with by WebCrypto alone, so that a client loads no library for it. */

/** EdDSA over Curve25519 under its fully specified name (RFC 8037, 9864). */
export const signatureAlgorithm = 'Ed25519';

/** An Ed25519 public key as a JSON Web Key (RFC 8037), nothing besides. */
export interface PublicKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** 32 bytes in base64url. */
  readonly x: string;
}
interface PrivateKey extends PublicKey {
  /** 32 bytes in base64url. Secret. */
  readonly d: string;
}

/** A key's RFC 7638 thumbprint, 43 characters: `kid` in every signature. */
export type KeyId = string;

/** 32 bytes in base64url: a coordinate, a SHA-256, an invitation code. */
export const base64url32Pattern = /^[A-Za-z0-9_-]{43}$/;

/** A client and the key that it signs with. In browsers the private key need not be extractable. */
export interface ClientKey {
  readonly client: ClientId;
  readonly kid: KeyId;
  readonly publicKey: PublicKey;
  readonly privateKey: CryptoKey;
}

/** A key file: what a client keeps, and what an operator hands to a silo. Secret. */
export interface KeyFile {
  readonly endpoint: string;
  readonly client: ClientId;
  readonly privateKey: PrivateKey;
}

/** The RFC 7638 thumbprint of a key: SHA-256 of its required members, by name, without white space. */
export async function keyIdOf({ crv, kty, x }: PublicKey): Promise<KeyId> {
  const canonical = new TextEncoder().encode(JSON.stringify({ crv, kty, x }));
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', canonical)));
}

/**
 * @param client 1 to 64 of `A-Z a-z 0-9 . _ -`
 * @param extractable whether it can be written to a key file
 * @throws {RangeError} on a name that no federation would take
 */
export async function generateClientKey(client: string, extractable = true): Promise<ClientKey> {
  if (!isClientId(client)) {
    throw new RangeError(`client: expected 1 to 64 of A-Z a-z 0-9 . _ -, got ${JSON.stringify(client)}`);
  }
  const pair = await crypto.subtle.generateKey({ name: signatureAlgorithm }, extractable, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new TypeError('a symmetric key');
  const { x } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const publicKey = { kty: 'OKP', crv: 'Ed25519', x: x ?? '' } as const;
  return { client, kid: await keyIdOf(publicKey), publicKey, privateKey: pair.privateKey };
}

/** Reads the content of a key file, parsed as JSON. @throws {FlError} `key-malformed`, naming the field */
export async function readKeyFile(content: unknown): Promise<{ readonly endpoint: string; readonly key: ClientKey }> {
  const { endpoint, client, privateKey } = fieldsOf(content, '', ['endpoint', 'client', 'privateKey']);
  if (typeof endpoint !== 'string' || !/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw malformed('endpoint', 'expected an http or https URL');
  }
  if (!isClientId(client)) throw malformed('client', 'expected 1 to 64 of A-Z a-z 0-9 . _ -');
  return { endpoint, key: await importKey(client, privateKey) };
}

/** @throws {TypeError} if the private key is not extractable */
export async function keyFileOf(endpoint: string, { client, publicKey, privateKey }: ClientKey): Promise<KeyFile> {
  if (!privateKey.extractable) throw new TypeError(`the key of client ${client} was made not to be extractable`);
  const { d } = await crypto.subtle.exportKey('jwk', privateKey);
  return { endpoint, client, privateKey: { ...publicKey, d: d ?? '' } };
}

/** Base64 for URLs without padding (RFC 4648, section 5). */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

async function importKey(client: ClientId, content: unknown): Promise<ClientKey> {
  const { kty, crv, x, d } = fieldsOf(content, 'privateKey.', ['kty', 'crv', 'x', 'd']);
  if (kty !== 'OKP' || crv !== 'Ed25519') throw malformed('privateKey', 'expected kty "OKP" and crv "Ed25519"');
  const coordinate = (name: string, value: unknown): string => {
    if (typeof value === 'string' && base64url32Pattern.test(value)) return value;
    throw malformed(`privateKey.${name}`, 'expected 32 bytes in base64url');
  };
  const publicKey = { kty, crv, x: coordinate('x', x) } as const;
  const jwk = { ...publicKey, d: coordinate('d', d) };
  const notAPair = (cause?: unknown) =>
    malformed('privateKey', 'its x and d are not an Ed25519 key pair; the file may have been altered', cause);
  try {
    const privateKey = await crypto.subtle.importKey('jwk', jwk, { name: signatureAlgorithm }, true, ['sign']);
    const verifyingKey = await crypto.subtle.importKey('jwk', publicKey, { name: signatureAlgorithm }, true, [
      'verify',
    ]);
    // Not every platform compares the halves when it imports them.
    const probe = new Uint8Array(32);
    const signature = await crypto.subtle.sign(signatureAlgorithm, privateKey, probe);
    if (!(await crypto.subtle.verify(signatureAlgorithm, verifyingKey, signature, probe))) throw notAPair();
    return { client, kid: await keyIdOf(publicKey), publicKey, privateKey };
  } catch (cause) {
    throw cause instanceof FlError ? cause : notAPair(cause);
  }
}

function fieldsOf(content: unknown, path: string, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw malformed(path.slice(0, -1) || 'document', 'expected a JSON object');
  }
  const fields: Readonly<Record<string, unknown>> = { ...content };
  for (const name of names) if (fields[name] === undefined) throw malformed(`${path}${name}`, 'is missing');
  return fields;
}

function isClientId(value: unknown): value is ClientId {
  return typeof value === 'string' && clientIdPattern.test(value);
}

/** Never quotes what was found: it may be a secret. */
function malformed(field: string, what: string, cause?: unknown): FlError {
  return new FlError('key-malformed', `key file: ${field}: ${what}`, { cause });
}
