import { FlError } from '../../shared/core/errors.ts';
import { type ClientKey, generateClientKey } from '../../shared/wire/identity/keys.ts';
import { problemOf } from './answers.ts';
import { type KeyStore, memoryKeys, nextKey } from './key-store.ts';
import { defaultRetryPolicy, type RetryPolicy, realSurroundings, type Surroundings, withRetries } from './retry.ts';
import { SignedApi } from './signed-api.ts';
import { fetchTransport, type Transport } from './transport.ts';

export interface EnrolOptions {
  /** The API's address. */
  readonly endpoint: string;
  /** The one-time code of the operator's invitation. */
  readonly code: string;
  /** The name that the invitation is for. */
  readonly client: string;
  /** A key of one's own, e.g. one that is not extractable; a new one by default. */
  readonly key?: ClientKey;
  /** Keeps the key before it is sent, so that enrolling again after a lost answer brings the same one; memory by default. */
  readonly keys?: KeyStore;
  readonly transport?: Transport;
  readonly retry?: Partial<RetryPolicy>;
  readonly surroundings?: Surroundings;
  /** Epoch milliseconds; the real time by default. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
}

/**
 * Registers a key under a name with an invitation's code. May be repeated with the same `keys`, or the same `key`, until an
 * answer comes: the same code with the same key is taken again.
 * @returns the key to sign with, which is `current` in `keys`
 * @throws {FlError} the API's code, e.g. `invitation-unknown`, `invitation-expired`, `invitation-used`; `identity-refused`
 */
export async function enrol(options: EnrolOptions): Promise<ClientKey> {
  const { endpoint, code, client, keys = memoryKeys(), transport = fetchTransport, clock, signal } = options;
  if (options.key && options.key.client !== client) {
    throw new RangeError(`key: it is of client ${options.key.client}, expected ${client}`);
  }
  if (options.key) await keys.set('next', options.key);
  const key = options.key ?? (await nextKey(keys, client, () => generateClientKey(client)));
  const api = new SignedApi({ endpoint, key, transport, clock });
  const content = { code, client, publicKey: key.publicKey };
  const attempt = async () => {
    const response = await api.send({
      what: `enrolling ${client}`,
      method: 'POST',
      path: ['enrolments'],
      content,
      signal,
    });
    if (response.status >= 300) throw problemOf(response, `client ${client} was not enrolled`);
  };
  const policy = { ...defaultRetryPolicy, ...options.retry };
  await withRetries(attempt, policy, options.surroundings ?? realSurroundings, signal).catch((error: unknown) => {
    if (!(error instanceof FlError) || error.code !== 'identity-refused') throw error;
    const { origin } = new URL(endpoint);
    const why = `${origin} does not take the proof that came with it: is the endpoint just as the operator gave it?`;
    throw new FlError('identity-refused', `client ${client} was not enrolled: ${why}`, { cause: error });
  });
  await keys.set('current', key);
  await keys.delete('next');
  return key;
}
