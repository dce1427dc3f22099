import { unshared } from './sha256.ts';

/** The one file that touches the platform's network: `fetch`, which Node and browsers share. */

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The answer is refused once it is longer than this. */
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Sends one request, once. Any HTTP status is an answer; it throws only if there was none, or one that is too long. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>;

/** The platform sets these itself; a browser forbids setting them and Node would send them twice. */
const ownedByFetch = new Set(['content-length', 'host']);

/** A transport over the platform's `fetch`. */
export const fetchTransport: Transport = async ({ method, url, headers, body, maxBytes, timeoutMs, signal }) => {
  const timeout = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, {
    method,
    headers: Object.entries(headers ?? {}).filter(([name]) => !ownedByFetch.has(name.toLowerCase())),
    body: body && unshared(body),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    redirect: 'error',
    // With `error` before it: nothing will be sent twice, so `fetch` need not keep a copy of the body.
    window: null,
  });
  return readAtMost(response, maxBytes);
};

/** An answer whose body broke off: what came of it can be gone on from. */
export class CutShort extends Error {
  override readonly name = 'CutShort';
  readonly received: TransportResponse;

  constructor(received: TransportResponse, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`the answer broke off after ${received.body.length} bytes: ${why}`, { cause });
    this.received = received;
  }
}

const smallBytes = 64 * 1024;

/** Into one buffer of the declared length, so that a large answer is not in memory twice. */
async function readAtMost(response: Response, maxBytes: number): Promise<TransportResponse> {
  const { status } = response;
  const headers = Object.fromEntries(response.headers);
  const declared = Number(headers['content-length'] ?? 0);
  if (declared > maxBytes) {
    await response.body?.cancel();
    throw new RangeError(`the answer is ${declared} bytes long, expected at most ${maxBytes}`);
  }
  let buffer = new Uint8Array(declared || smallBytes);
  let length = 0;
  const soFar = () => ({ status, headers, body: length === buffer.length ? buffer : buffer.slice(0, length) });
  if (!response.body) return soFar();
  const chunks = response.body[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next().catch((cause: unknown) => {
      throw new CutShort(soFar(), cause);
    });
    if (next.done) return soFar();
    const end = length + next.value.length;
    if (end > maxBytes) {
      await response.body.cancel().catch(() => {});
      throw new RangeError(`the answer is longer than ${maxBytes} bytes`);
    }
    if (end > buffer.length) {
      const larger = new Uint8Array(Math.max(end, 2 * buffer.length));
      larger.set(buffer.subarray(0, length));
      buffer = larger;
    }
    buffer.set(next.value, length);
    length = end;
  }
}
