import { z } from 'zod';
import { base64url32Pattern } from './keys.ts';

/** An Ed25519 public key as a JSON Web Key (RFC 8037), nothing besides. */
export const publicKeySchema = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(base64url32Pattern, '32 bytes in base64url'),
});

export const keyIdSchema = z.string().regex(base64url32Pattern, 'a key id is an RFC 7638 SHA-256 thumbprint');
