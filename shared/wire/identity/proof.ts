import { base64url, type CryptoKey, decodeProtectedHeader, errors, importJWK, jwtVerify } from 'jose';
import { z } from 'zod';
import { FlError } from '../../core/errors.ts';
import type { ClientId } from '../../core/names.ts';
import { clientIdSchema } from '../names.ts';
import { keyIdSchema } from './key-schemas.ts';
import { type KeyId, keyIdOf, type PublicKey, signatureAlgorithm } from './keys.ts';
import { proofScheme, proofType } from './sign.ts';

export { digestOf, type ProvedRequest, proofScheme, proveRequest } from './sign.ts';

/** A proof is taken so many seconds before and after its `iat`. */
export const proofWindowSeconds = 60;
/** Longer than any proof that this project's clients make. */
const mostProofCharacters = 2_048;

const claimsSchema = z.object({
  sub: clientIdSchema,
  htm: z.string().max(10),
  htu: z.string().max(1_024),
  digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  iat: z.number().int(),
  jti: z.string().regex(/^[A-Za-z0-9_-]{22,64}$/),
});

/** What a proof says; believed once its signature is verified. */
export interface Proof {
  readonly client: ClientId;
  readonly kid: KeyId;
  readonly method: string;
  readonly url: string;
  /** SHA-256 of the body in base64url. */
  readonly digest: string;
  readonly issuedAtMs: number;
  readonly nonce: string;
}

/**
 * Who claims to have signed, before anything is verified: to find the key by.
 * @throws {FlError} `proof-malformed`
 */
export function claimedSigner(authorization: string): { readonly client: ClientId; readonly kid: KeyId } {
  const jws = jwsOf(authorization);
  try {
    const kid = keyIdSchema.parse(decodeProtectedHeader(jws).kid);
    const payload: unknown = JSON.parse(new TextDecoder().decode(base64url.decode(jws.split('.')[1])));
    return { client: z.object({ sub: clientIdSchema }).parse(payload).sub, kid };
  } catch (cause) {
    throw new FlError('proof-malformed', 'the Authorization header is not a proof', { cause });
  }
}

/**
 * Verifies a proof's signature, type and age; address, digest and nonce are the caller's to compare.
 * @throws {FlError} `proof-malformed`, `proof-stale`, `proof-forged`
 */
export async function verifyProof(authorization: string, publicKey: PublicKey, nowMs: number): Promise<Proof> {
  const { payload, kid } = await verified(jwsOf(authorization), publicKey, proofType);
  const { data } = claimsSchema.safeParse(payload);
  if (!data) throw new FlError('proof-malformed', 'a claim of the proof is missing or malformed');
  const { sub, htm, htu, digest, iat, jti } = data;
  const aheadSeconds = iat - nowMs / 1000;
  if (Math.abs(aheadSeconds) > proofWindowSeconds) {
    throw new FlError('proof-stale', `the proof's clock is ${Math.round(aheadSeconds)} s ahead, at most 60 either way`);
  }
  return { client: sub, kid, method: htm, url: htu, digest, issuedAtMs: iat * 1000, nonce: jti };
}

/** Verifies a signature by one key, which it names as `kid`, and of one type. @throws {FlError} `proof-forged`, `proof-malformed` */
export async function verified(
  jws: string,
  publicKey: PublicKey,
  typ: string,
): Promise<{ readonly payload: unknown; readonly kid: KeyId }> {
  let key: CryptoKey | Uint8Array;
  try {
    key = await importJWK(publicKey, signatureAlgorithm);
  } catch (cause) {
    throw new FlError('proof-forged', 'the registered key is not a point of the curve', { cause });
  }
  try {
    // Age is not jose's to check here: `currentDate` would be a second rule beside `iat` within the window.
    const { payload, protectedHeader } = await jwtVerify(jws, key, { algorithms: [signatureAlgorithm], typ });
    // Whoever looks the key up later by `kid` has to find the one that signed.
    const kid = z.literal(await keyIdOf(publicKey)).parse(protectedHeader.kid);
    return { payload, kid };
  } catch (cause) {
    const forged = cause instanceof errors.JWSSignatureVerificationFailed;
    throw new FlError(forged ? 'proof-forged' : 'proof-malformed', 'the signature does not stand', { cause });
  }
}

function jwsOf(authorization: string): string {
  const [scheme, jws, ...rest] = authorization.split(' ');
  if (scheme !== proofScheme || !jws || rest.length > 0 || jws.length > mostProofCharacters) {
    throw new FlError('proof-malformed', `expected "${proofScheme} <proof>"`);
  }
  return jws;
}
