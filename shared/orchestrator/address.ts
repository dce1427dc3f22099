import { FlError } from '../core/errors.ts';
import type { Proof } from '../wire/identity/proof.ts';

/** Where a request came in. */
export interface Address {
  readonly method: string;
  /** With its port, where that is not the scheme's. */
  readonly host: string;
  /** As received, without query. */
  readonly path: string;
}

/**
 * Compares the address that a proof is for. The scheme says nothing: an account's API speaks https only.
 * @throws {FlError} `proof-foreign`
 */
export function checkAddress({ method, url }: Pick<Proof, 'method' | 'url'>, address: Address): void {
  const [, host, path] = /^https?:\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
  if (method === address.method && host?.toLowerCase() === address.host.toLowerCase() && path === address.path) return;
  throw new FlError(
    'proof-foreign',
    `the proof is for ${method} ${url}, the request is ${address.method} ${address.host}${address.path}`,
  );
}
