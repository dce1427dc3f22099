import type { ClientId } from '../core/names.ts';
import type { ErasureResponse } from '../wire/identity/api.ts';
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
  /** Why it is revoked. */
  readonly reason?: string;
  readonly enrolledAtMs: number;
  /** Oldest first: old ones verify old updates. One or more, none twice. */
  readonly keys: readonly RegisteredKey[];
}

/** A client's invitation: it has one at most. */
export interface InvitationRecord {
  readonly client: ClientId;
  /** SHA-256 of the code in base64url. */
  readonly codeDigest: string;
  readonly expiresAtMs: number;
  /** The key that used it. */
  readonly usedBy?: KeyId;
}

/** Kept of a client that has been erased. */
export interface ErasureRecord extends ErasureResponse {
  readonly client: ClientId;
}

/** Who may take part. Every method is atomic, and reads see what was written before. */
export interface IdentityStore {
  /** Puts invitations, 100 at most, each of another client, in the place of those that the clients had. */
  invite(invitations: readonly InvitationRecord[]): Promise<void>;
  invitation(client: ClientId): Promise<InvitationRecord | undefined>;
  /**
   * Uses an invitation and makes `key` the client's; a client that is there already becomes active again.
   * `used`: by another key, or it has been withdrawn since it was read. By the same key is `enrolled` again, unless that
   * has been replaced or revoked since. `replaced`: the client had this key once and then another.
   */
  enrol(invitation: InvitationRecord, key: RegisteredKey): Promise<'enrolled' | 'used' | 'replaced'>;
  client(client: ClientId): Promise<ClientRecord | undefined>;
  /** By name, after `after`, `limit` at most. */
  clients(limit: number, after?: ClientId): Promise<readonly ClientRecord[]>;
  /** Replaces the signing key if it still is `from` and the client is active. `replaced`: the client had `key` before. */
  rotate(client: ClientId, from: KeyId, key: RegisteredKey): Promise<'rotated' | 'refused' | 'replaced'>;
  /** Also withdraws its invitation. `unknown`: it has neither key nor invitation. */
  revoke(client: ClientId, reason: string): Promise<'revoked' | 'unknown'>;
  /** Deletes the client, its keys and its invitation. Repeatable. */
  erase(client: ClientId): Promise<void>;
  putErasure(record: ErasureRecord): Promise<void>;
  erasure(client: ClientId): Promise<ErasureRecord | undefined>;
  /** Counts a request of a minute, in minutes since 1970. @returns how many that makes */
  countRequest(client: ClientId, minute: number): Promise<number>;
  /** Takes a proof's nonce once; forgotten some time after `untilMs`. */
  takeNonce(client: ClientId, nonce: string, untilMs: number): Promise<'fresh' | 'replayed'>;
}
