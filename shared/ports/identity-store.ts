import type { ClientId } from '../core/names.ts';
import type { KeyId, PublicKey } from '../wire/identity/keys.ts';

/** A registered key; the last of a client's is the one that signs. */
export interface RegisteredKey {
  readonly kid: KeyId;
  readonly publicKey: PublicKey;
  readonly addedAtMs: number;
}

export interface ClientRecord {
  readonly client: ClientId;
  readonly state: 'active' | 'revoked';
  readonly reason?: string;
  readonly enrolledAtMs: number;
  /** Oldest first: old ones verify old updates. */
  readonly keys: readonly RegisteredKey[];
}

export interface InvitationRecord {
  /** SHA-256 of the code, lower-case hex. */
  readonly codeSha256: string;
  readonly client: ClientId;
  readonly expiresAtMs: number;
  /** The key that used it. */
  readonly usedBy?: KeyId;
}

/** Who may take part. Every method is atomic, and reads see what was written before. */
export interface IdentityStore {
  invite(invitations: readonly InvitationRecord[]): Promise<void>;
  invitation(codeSha256: string): Promise<InvitationRecord | undefined>;
  /**
   * Uses an invitation and makes `key` the client's; a client that is there already becomes active again.
   * `used`: by another key before; by the same key is `enrolled` again, unless it has been replaced or revoked since.
   */
  enrol(invitation: InvitationRecord, key: RegisteredKey): Promise<'enrolled' | 'used'>;
  client(client: ClientId): Promise<ClientRecord | undefined>;
  /** By name, after `after`, `limit` at most. */
  clients(limit: number, after?: ClientId): Promise<readonly ClientRecord[]>;
  /** Replaces the signing key if it still is `from` and the client is active. */
  rotate(client: ClientId, from: KeyId, key: RegisteredKey): Promise<'rotated' | 'refused'>;
  revoke(client: ClientId, reason: string): Promise<'revoked' | 'unknown'>;
  /** Takes a proof's nonce once; forgotten some time after `untilMs`. */
  takeNonce(client: ClientId, nonce: string, untilMs: number): Promise<'fresh' | 'replayed'>;
}
