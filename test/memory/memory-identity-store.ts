import type { ClientId } from '../../shared/core/names.ts';
import type {
  ClientRecord,
  ErasureRecord,
  IdentityStore,
  InvitationRecord,
  RegisteredKey,
} from '../../shared/ports/identity-store.ts';
import type { KeyId } from '../../shared/wire/identity/keys.ts';

/** The identity store in memory: each method runs to its end before another begins, so each is atomic. */
export class MemoryIdentityStore implements IdentityStore {
  readonly records = new Map<ClientId, ClientRecord>();
  readonly invitations = new Map<ClientId, InvitationRecord>();
  readonly nonces = new Set<string>();
  readonly requests = new Map<string, number>();
  readonly erasures = new Map<ClientId, ErasureRecord>();

  async invite(invitations: readonly InvitationRecord[]) {
    for (const invitation of invitations) this.invitations.set(invitation.client, structuredClone(invitation));
  }

  async erase(client: ClientId) {
    this.records.delete(client);
    this.invitations.delete(client);
  }

  async putErasure(record: ErasureRecord) {
    this.erasures.set(record.client, structuredClone(record));
  }

  async erasure(client: ClientId) {
    return structuredClone(this.erasures.get(client));
  }

  async invitation(client: ClientId) {
    return structuredClone(this.invitations.get(client));
  }

  async enrol({ client, codeDigest }: InvitationRecord, key: RegisteredKey) {
    const invitation = this.invitations.get(client);
    if (invitation?.codeDigest !== codeDigest) return 'used' as const;
    const known = this.records.get(client);
    const had = known?.keys ?? [];
    const isSigning = had.at(-1)?.kid === key.kid;
    if (invitation.usedBy !== undefined) {
      const again = invitation.usedBy === key.kid && isSigning && known?.state === 'active';
      return again ? ('enrolled' as const) : ('used' as const);
    }
    if (!isSigning && had.some(({ kid }) => kid === key.kid)) return 'replaced' as const;
    this.invitations.set(client, { ...invitation, usedBy: key.kid });
    const enrolledAtMs = known?.enrolledAtMs ?? key.addedAtMs;
    const keys = isSigning ? had : [...had, structuredClone(key)];
    this.records.set(client, { client, state: 'active', enrolledAtMs, keys });
    return 'enrolled' as const;
  }

  async client(client: ClientId) {
    return structuredClone(this.records.get(client));
  }

  async clients(limit: number, after?: ClientId) {
    const names = [...this.records.keys()].sort().filter((name) => after === undefined || name > after);
    return names.slice(0, limit).flatMap((name) => structuredClone(this.records.get(name)) ?? []);
  }

  async rotate(client: ClientId, from: KeyId, key: RegisteredKey) {
    const known = this.records.get(client);
    if (known?.state !== 'active' || known.keys.at(-1)?.kid !== from) return 'refused' as const;
    if (known.keys.some(({ kid }) => kid === key.kid)) return 'replaced' as const;
    this.records.set(client, { ...known, keys: [...known.keys, structuredClone(key)] });
    return 'rotated' as const;
  }

  async revoke(client: ClientId, reason: string) {
    const known = this.records.get(client);
    const withdrawn = this.invitations.delete(client);
    if (!known) return withdrawn ? ('revoked' as const) : ('unknown' as const);
    this.records.set(client, { ...known, state: 'revoked', reason });
    return 'revoked' as const;
  }

  async countRequest(client: ClientId, minute: number) {
    const name = `${client} ${minute}`;
    const count = (this.requests.get(name) ?? 0) + 1;
    this.requests.set(name, count);
    return count;
  }

  async takeNonce(client: ClientId, nonce: string) {
    const name = `${client} ${nonce}`;
    if (this.nonces.has(name)) return 'replayed' as const;
    this.nonces.add(name);
    return 'fresh' as const;
  }
}
