import { FlError } from '../../shared/core/errors.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import { proveRequest } from '../../shared/wire/identity/sign.ts';
import { problemOf } from './answers.ts';
import type { KeyStore } from './key-store.ts';
import { sendOnce } from './send-once.ts';
import type { Transport, TransportResponse } from './transport.ts';

/** Codes of the API that say that a proof was not taken; an authorizer in front of it says 401 or 403 and nothing else. */
const refusedProof = new Set(['proof-malformed', 'proof-forged', 'proof-stale', 'proof-foreign', 'client-revoked']);
/** A clock that is off by more is corrected; a proof is taken up to twice as long before and after. */
const tolerableSkewMs = 30_000;
const answerBytes = 1024 * 1024;
const callTimeoutMs = 60_000;

/** A request of the API, to be signed. */
export interface ApiCall {
  /** For messages: what the client is doing. */
  readonly what: string;
  readonly method: 'GET' | 'POST';
  /** Below `/v1`. */
  readonly path: readonly string[];
  /** Sent as JSON; made anew for each try where it is signed itself. */
  readonly content?: object | ((key: ClientKey, nowMs: number) => Promise<object>);
  readonly signal?: AbortSignal;
}

export interface SignedApiOptions {
  readonly endpoint: string;
  readonly key: ClientKey;
  readonly transport: Transport;
  /** Holds the key to come while it is not known which one the federation has registered. */
  readonly keys?: KeyStore;
  /** Epoch milliseconds. */
  readonly clock?: () => number;
}

/** The API as one client speaks to it: each try of each request carries a proof of its own. */
export class SignedApi {
  readonly #endpoint: string;
  readonly #transport: Transport;
  readonly #keys: KeyStore | undefined;
  readonly #clock: () => number;
  #key: ClientKey;
  /** The server's clock minus this one's, as far as that had to be found out. */
  #offsetMs = 0;

  /** @throws {RangeError} on an endpoint that is not an http(s) URL */
  constructor({ endpoint, key, transport, keys, clock }: SignedApiOptions) {
    if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
      throw new RangeError(`endpoint: expected an http or https URL, got ${JSON.stringify(endpoint)}`);
    }
    this.#endpoint = endpoint.replace(/\/+$/, '');
    this.#transport = transport;
    this.#keys = keys;
    this.#clock = clock ?? Date.now;
    this.#key = key;
  }

  /** The key that signs. */
  get key(): ClientKey {
    return this.#key;
  }

  url(path: readonly string[]): string {
    return `${this.#endpoint}/v1/${path.map(encodeURIComponent).join('/')}`;
  }

  /**
   * Sends a request; where the proof was refused for a clock that is off, or for a key that a rotation has replaced, once more.
   * @throws {FlError} `network`, `identity-refused`
   */
  async send(call: ApiCall): Promise<TransportResponse> {
    let response = await this.#try(call, this.#key);
    if (isDenial(response) && this.#correctClock(response)) response = await this.#try(call, this.#key);
    if (!isRefusal(response)) return response;
    const next = await this.#keys?.get('next');
    if (next && next.client === this.#key.client && next.kid !== this.#key.kid) {
      response = await this.#try(call, next);
      if (!isRefusal(response)) {
        await this.promote(next);
        return response;
      }
    }
    throw this.#refused(call.what);
  }

  /** Signs with this key from now on: the federation has taken it. */
  async promote(key: ClientKey): Promise<void> {
    await this.#keys?.set('current', key);
    await this.#keys?.delete('next');
    this.#key = key;
  }

  async #try({ what, method, path, content, signal }: ApiCall, key: ClientKey): Promise<TransportResponse> {
    const url = this.url(path);
    const nowMs = this.#clock() + this.#offsetMs;
    const object = typeof content === 'function' ? await content(key, nowMs) : content;
    const body = object && new TextEncoder().encode(JSON.stringify(object));
    const authorization = await proveRequest(key, { method, url, body: body ?? new Uint8Array() }, nowMs);
    return sendOnce(this.#transport, what, {
      method,
      url,
      headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
      body,
      maxBytes: answerBytes,
      timeoutMs: callTimeoutMs,
      signal,
    });
  }

  /** True if the answer's `Date` shows that the clock was off, and it is corrected. */
  #correctClock({ headers }: TransportResponse): boolean {
    const offsetMs = Date.parse(headers.date ?? '') - this.#clock();
    if (!(Math.abs(offsetMs - this.#offsetMs) > tolerableSkewMs)) return false;
    this.#offsetMs = offsetMs;
    return true;
  }

  #refused(what: string): FlError {
    const { client, kid } = this.#key;
    return new FlError(
      'identity-refused',
      `${what}: the federation at ${new URL(this.#endpoint).origin} does not take the proof of client ${client}: it is not enrolled there, is revoked, or has another key than ${kid.slice(0, 8)}… registered; its operator sees which in the log, and can invite it again`,
    );
  }
}

function isDenial({ status }: TransportResponse): boolean {
  return status === 401 || status === 403;
}

/** A denial that is about the proof, not about what was asked. */
function isRefusal(response: TransportResponse): boolean {
  if (!isDenial(response)) return false;
  const { code } = problemOf(response, '');
  return code.startsWith('http-') || refusedProof.has(code);
}
