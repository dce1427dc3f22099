import { base64url, type ClientKey, signatureAlgorithm } from './keys.ts';

/** What a client signs: docs/decisions/0010. A compact JWS (RFC 7515) is little enough to write by hand. */

/** Scheme of the `Authorization` header: `Tributary <proof>`. */
export const proofScheme = 'Tributary';
export const proofType = 'tributary-proof+jwt';
export const statementType = 'tributary-update+jwt';

/** The request that a proof is for. */
export interface ProvedRequest {
  readonly method: string;
  /** `https://host/path`, without query. */
  readonly url: string;
  /** Empty where there is none. */
  readonly body: Uint8Array;
}

/** What a client says of one update, signed: enough to prove later that a version holds it. */
export interface UpdateStatement {
  readonly sub: string;
  readonly task: string;
  readonly ticket: string;
  readonly baseVersion: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly examples: number;
}

/**
 * Proves one request, once, in the manner of RFC 9449.
 * @param nowMs epoch milliseconds, by the server's clock as well as the client knows it
 * @returns the value of the `Authorization` header
 */
export async function proveRequest(key: ClientKey, request: ProvedRequest, nowMs: number): Promise<string> {
  const jws = await signed(key, proofType, {
    sub: key.client,
    htm: request.method,
    htu: request.url,
    digest: await digestOf(request.body),
    iat: Math.floor(nowMs / 1000),
    jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
  });
  return `${proofScheme} ${jws}`;
}

/**
 * The same statement by the same key is the same text, so a client that repeats a request after a crash repeats it exactly.
 * @returns a compact JWS
 */
export function signStatement(key: ClientKey, statement: UpdateStatement): Promise<string> {
  const { sub, task, ticket, baseVersion, bytes, sha256, examples } = statement;
  return signed(key, statementType, { sub, task, ticket, baseVersion, bytes, sha256, examples });
}

/** SHA-256 of a body in base64url. */
export async function digestOf(body: Uint8Array): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(body))));
}

async function signed({ kid, privateKey }: ClientKey, typ: string, claims: object): Promise<string> {
  const part = (value: object) => base64url(new TextEncoder().encode(JSON.stringify(value)));
  const input = `${part({ alg: signatureAlgorithm, typ, kid })}.${part(claims)}`;
  const signature = await crypto.subtle.sign(signatureAlgorithm, privateKey, new TextEncoder().encode(input));
  return `${input}.${base64url(new Uint8Array(signature))}`;
}
