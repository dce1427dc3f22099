import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { ClientId } from '../../shared/core/names.ts';
import type { KeyId, PublicKey } from '../../shared/wire/identity/keys.ts';

/** Signs by hand after RFC 7515, 7638 and 8037, with node:crypto: what a client of any language may send, well-formed or not. */
export interface Signer {
  readonly client: ClientId;
  readonly kid: KeyId;
  readonly publicKey: PublicKey;
  readonly privateKey: KeyObject;
}

export interface Forgery {
  readonly header?: object;
  readonly claims?: object;
  /** Signature over the signing input, in place of the key's own. */
  readonly sign?: (input: string) => Uint8Array;
}

export function newSigner(client: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  const thumbprint = sha256(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`);
  return { client: client as ClientId, kid: thumbprint, publicKey: { kty: 'OKP', crv: 'Ed25519', x }, privateKey };
}

/** A compact JWS. */
export function jws({ kid, privateKey }: Signer, typ: string, claims: object, forgery: Forgery = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: 'Ed25519', typ, kid, ...forgery.header };
  const input = `${part(header)}.${part({ ...claims, ...forgery.claims })}`;
  const signature = forgery.sign?.(input) ?? sign(null, Buffer.from(input), privateKey);
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  readonly nowMs: number;
}

/** Value of the `Authorization` header: docs/decisions/0010. */
export function proofOf(signer: Signer, { method, url, body = '', nowMs }: Request, forgery: Forgery = {}): string {
  const claims = {
    sub: signer.client,
    htm: method,
    htu: url,
    digest: sha256(body),
    iat: Math.floor(nowMs / 1000),
    jti: randomBytes(16).toString('base64url'),
  };
  return `Tributary ${jws(signer, 'tributary-proof+jwt', claims, forgery)}`;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
