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
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await readAtMost(response, maxBytes),
  };
};

/** `fetch` takes no view of shared memory. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, length) : new Uint8Array(bytes);
}

async function readAtMost(response: Response, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(response.headers.get('content-length') ?? 0);
  if (declared > maxBytes) {
    await response.body?.cancel();
    throw new RangeError(`the answer is ${declared} bytes long, expected at most ${maxBytes}`);
  }
  if (!response.body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > maxBytes) throw new RangeError(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
