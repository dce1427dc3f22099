import { base64url, compactVerify, importJWK } from 'jose';
import { z } from 'zod';
import { FlError } from '../core/errors.ts';
import { sha256Schema, taskIdSchema } from './names.ts';
import { parseStrictJson } from './strict-json.ts';
import { evaluationSchema } from './workflow.ts';

/** The signed record of a version: what made it, what it is, and the record before. docs/decisions/0011 */

/** ECDSA over P-256 with SHA-256, RFC 7518: what KMS offers everywhere. */
export const sealAlgorithm = 'ES256';
const sealType = 'tributary-version+jwt';

const whole = z.number().int().min(0);
const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** The federation's public key as a JSON Web Key. */
export const sealKeySchema = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: coordinate,
  y: coordinate,
});
export type SealKey = z.output<typeof sealKeySchema>;

export const sealedVersionSchema = z.strictObject({
  task: taskIdSchema,
  version: whole,
  origin: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('initial') }),
    z.strictObject({ kind: z.literal('round') }),
    z.strictObject({ kind: z.literal('rollback'), to: whole }),
  ]),
  publishedAtMs: whole,
  updates: whole,
  examples: whole,
  evaluation: evaluationSchema.optional(),
  /** SHA-256 of the manifest's bytes; absent where no round made the version. */
  manifest: sha256Schema.optional(),
  /** SHA-256 of the model's file. */
  model: sha256Schema,
  /** SHA-256 of each file of optimizer state. */
  state: z.record(z.string(), sha256Schema),
  /** SHA-256 of the seal before, as text; absent for version 0. */
  previous: sha256Schema.optional(),
});
export type SealedVersion = z.output<typeof sealedVersionSchema>;

/** What is to be signed for a seal, without its signature: `header.payload` of a compact JWS (RFC 7515). */
export function signingInput(sealed: SealedVersion): string {
  const header = { alg: sealAlgorithm, typ: sealType };
  return [header, sealed].map((part) => base64url.encode(JSON.stringify(part))).join('.');
}

/** @param signature r and s, 32 bytes each */
export function sealOf(input: string, signature: Uint8Array): string {
  return `${input}.${base64url.encode(signature)}`;
}

/** Verifies a seal's signature. @throws {FlError} `seal-forged` */
export async function readSeal(seal: string, key: SealKey): Promise<SealedVersion> {
  try {
    const { payload, protectedHeader } = await compactVerify(seal, await importJWK(key, sealAlgorithm), {
      algorithms: [sealAlgorithm],
    });
    if (protectedHeader.typ !== sealType) throw new TypeError(`type ${protectedHeader.typ}`);
    return sealedVersionSchema.parse(parseStrictJson(payload));
  } catch (cause) {
    throw new FlError('seal-forged', 'the record is not signed with the federation key', { cause });
  }
}
