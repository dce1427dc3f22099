import { FlError } from '../core/errors.ts';
import type { ClientId } from '../core/names.ts';
import type { EnrolRequest, EnrolResponse, RotateRequest } from '../wire/identity/api.ts';
import { type KeyId, keyIdOf, type PublicKey } from '../wire/identity/keys.ts';
import { digestOf, verifyProof } from '../wire/identity/proof.ts';
import { type Address, checkAddress } from './address.ts';
import type { IdentityPorts } from './ports.ts';

type EnrolPorts = Pick<IdentityPorts, 'identities' | 'clock'>;

/** A request that no authorizer has seen, or that holds a second proof. */
export interface SentRequest {
  readonly address: Address;
  /** Value of the header. */
  readonly authorization: string;
  /** SHA-256 of the body in base64url. */
  readonly digest: string;
}

/** Keys that a client may have had: old ones are kept, and read with every request. */
export const mostKeys = 100;

/**
 * Makes a key an invited client's. The same code with the same key again answers the same.
 * @throws {FlError} `proof-…`, `invitation-unknown`, `invitation-expired`, `invitation-used`, `key-replaced`
 */
export async function enrol(
  ports: EnrolPorts,
  { code, client, publicKey }: EnrolRequest,
  request: SentRequest,
): Promise<EnrolResponse> {
  const { identities, clock } = ports;
  const kid = await checkPossession(ports, client, publicKey, request);
  const invitation = await identities.invitation(client);
  // Of a wrong code and a wrong name there is nothing to tell apart.
  if (invitation?.codeDigest !== (await codeDigest(code))) {
    throw new FlError('invitation-unknown', `there is no such invitation for "${client}": ask the operator for one`);
  }
  if (invitation.usedBy === undefined && clock.now() >= invitation.expiresAtMs) {
    throw new FlError('invitation-expired', `the invitation ran out at ${isoTime(invitation.expiresAtMs)}`);
  }
  switch (await identities.enrol(invitation, { kid, publicKey, addedAtMs: clock.now() })) {
    case 'enrolled':
      return { client, kid };
    case 'used':
      throw new FlError('invitation-used', 'the invitation has been used, or its key has been replaced or revoked');
    case 'replaced':
      throw keyReplaced();
  }
}

/**
 * Replaces the key of a client that has proved to hold the one before.
 * @param request `authorization` is the proof by the new key, of an empty body
 * @throws {FlError} `proof-…`, `client-revoked`, `key-replaced`, `keys-too-many`
 */
export async function rotateKey(
  ports: EnrolPorts,
  caller: { readonly client: ClientId; readonly kid: KeyId },
  { publicKey, proof }: RotateRequest,
  address: Address,
): Promise<EnrolResponse> {
  const { identities, clock } = ports;
  const { client } = caller;
  const request = { address, authorization: proof, digest: await digestOf(new Uint8Array()) };
  const kid = await checkPossession(ports, client, publicKey, request);
  if (kid === caller.kid) return { client, kid }; // It has happened, and the answer was lost.
  const record = await identities.client(client);
  if (record && record.keys.length >= mostKeys) {
    throw new FlError('keys-too-many', `client "${client}" has had ${mostKeys} keys: ask the operator for a new name`);
  }
  switch (await identities.rotate(client, caller.kid, { kid, publicKey, addedAtMs: clock.now() })) {
    case 'rotated':
      return { client, kid };
    case 'refused':
      throw new FlError('client-revoked', 'the client was revoked, or its key replaced, meanwhile');
    case 'replaced':
      throw keyReplaced();
  }
}

/** SHA-256 of an invitation's code: all of it that is kept. */
export function codeDigest(code: string): Promise<string> {
  return digestOf(new TextEncoder().encode(code));
}

/** That the sender holds the private half of `publicKey`. @returns the key's id */
async function checkPossession(
  { clock }: EnrolPorts,
  client: ClientId,
  publicKey: PublicKey,
  { authorization, address, digest }: SentRequest,
): Promise<KeyId> {
  const proof = await verifyProof(authorization, publicKey, clock.now());
  checkAddress(proof, address);
  if (proof.client !== client) throw new FlError('proof-foreign', `the proof is of "${proof.client}", not "${client}"`);
  if (proof.digest !== digest) throw new FlError('proof-digest', 'the proof is for another body');
  return keyIdOf(publicKey);
}

const keyReplaced = () =>
  new FlError('key-replaced', 'the client had this key before, and replaced it: make a new one');

const isoTime = (atMs: number) => new Date(atMs).toISOString();
