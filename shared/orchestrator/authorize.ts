import { FlError } from '../core/errors.ts';
import type { ClientId } from '../core/names.ts';
import type { KeyId } from '../wire/identity/keys.ts';
import { claimedSigner, proofWindowSeconds, verifyProof } from '../wire/identity/proof.ts';
import { type Address, checkAddress } from './address.ts';
import type { IdentityPorts } from './ports.ts';

/** Who asks, proved but for the body: whoever has that compares its digest. */
export interface Authorized {
  readonly client: ClientId;
  readonly kid: KeyId;
  /** SHA-256 of the body in base64url. */
  readonly digest: string;
  /** Whether the client stays below `mostRequestsPerMinute`. */
  readonly pace: 'fine' | 'too-fast';
}

/** Requests that a client may make in a minute; one that takes part makes some dozens. */
export const mostRequestsPerMinute = 600;

/**
 * Takes a request's proof, once: it must be by the key that its client signs with now, for this address, and fresh.
 * @param authorization value of the header
 * @throws {FlError} for every reason to refuse it
 */
export async function authorize(
  { identities, clock }: Pick<IdentityPorts, 'identities' | 'clock'>,
  authorization: string,
  address: Address,
): Promise<Authorized> {
  const claimed = claimedSigner(authorization);
  const record = await identities.client(claimed.client);
  if (!record) throw new FlError('client-unknown', `there is no client "${claimed.client}"`);
  if (record.state !== 'active') throw new FlError('client-revoked', `client "${record.client}" is revoked`);
  const key = record.keys.at(-1);
  if (key?.kid !== claimed.kid) throw new FlError('key-replaced', 'the key is not the one that the client signs with');
  const proof = await verifyProof(authorization, key.publicKey, clock.now());
  checkAddress(proof, address);
  const untilMs = proof.issuedAtMs + proofWindowSeconds * 1000;
  if ((await identities.takeNonce(record.client, proof.nonce, untilMs)) === 'replayed') {
    throw new FlError('proof-replayed', 'the proof has been used');
  }
  const requests = await identities.countRequest(record.client, Math.floor(clock.now() / 60_000));
  const pace = requests > mostRequestsPerMinute ? 'too-fast' : 'fine';
  return { client: record.client, kid: key.kid, digest: proof.digest, pace };
}
