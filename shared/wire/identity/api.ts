import { z } from 'zod';
import { clientIdSchema } from '../names.ts';
import { text } from '../text.ts';
import { publicKeySchema } from './key-schemas.ts';

/** The identity part of the HTTP API: see docs/decisions/0010. */

const day = 24 * 3600 * 1000;

/** A one-time code: 32 random bytes in base64url. */
export const invitationCodeSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, 'an invitation code is 43 characters of base64url');

/** `POST /v1/invitations` (operator): one code a client; a code for it that nobody has used is void from then on. */
export const inviteSchema = z.strictObject({
  clients: z
    .array(clientIdSchema)
    .min(1)
    .max(100)
    .refine((clients) => new Set(clients).size === clients.length, 'a client is named twice'),
  lifetimeMs: z
    .number()
    .int()
    .min(1_000)
    .max(30 * day)
    .default(7 * day),
});
export type InviteRequest = z.output<typeof inviteSchema>;
export type InviteInput = z.input<typeof inviteSchema>;

export interface Invitation {
  readonly client: string;
  /** Shown once: the federation keeps its SHA-256 only. */
  readonly code: string;
  readonly expiresAtMs: number;
}
export interface InviteResponse {
  readonly invitations: readonly Invitation[];
}

/** `POST /v1/enrolments`, with a proof by the key that it brings. */
export const enrolSchema = z.strictObject({
  code: invitationCodeSchema,
  client: clientIdSchema,
  publicKey: publicKeySchema,
});
export type EnrolRequest = z.output<typeof enrolSchema>;

/** `POST /v1/keys` (client), signed by the old key; `proof` is an `Authorization` value by the new one. */
export const rotateSchema = z.strictObject({ publicKey: publicKeySchema, proof: z.string().regex(/^[ -~]{1,2100}$/) });
export type RotateRequest = z.output<typeof rotateSchema>;

/** Answers an enrolment and a rotation. */
export interface EnrolResponse {
  readonly client: string;
  readonly kid: string;
}

/** `POST /v1/clients/{client}/revoke` (operator). */
export const revokeSchema = z.strictObject({
  reason: text(200)
    .refine((given) => given.length > 0, 'must say something')
    .default('revoked by the operator'),
});

/** `GET /v1/clients/{client}` (operator), and each of `GET /v1/clients`, by name, a page at a time after `?after=NAME`. */
export interface ClientResponse {
  readonly client: string;
  readonly state: 'active' | 'revoked';
  readonly reason?: string;
  readonly enrolledAtMs: number;
  /** The last is the one that signs. */
  readonly keys: readonly { readonly kid: string; readonly x: string; readonly addedAtMs: number }[];
}
export interface ListClientsResponse {
  readonly clients: readonly ClientResponse[];
  /** More follow after this name. */
  readonly next?: string;
}

/** `POST /v1/clients/{client}/erase` (operator): what was deleted of a client, and what could not be unlearned. */
export interface ErasureResponse {
  readonly client: string;
  readonly erasedAtMs: number;
  /** Tickets, with their updates where these were still stored. */
  readonly updatesDeleted: number;
  /** Updates in a buffer: erase again when they have found their version. */
  readonly pending: number;
  /** Versions that learned from the client, and whose manifests name it. */
  readonly versions: readonly { readonly task: string; readonly version: number }[];
}
