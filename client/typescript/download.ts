import { FlError } from '../../shared/core/errors.ts';
import { hasRunOut, problemOf } from './answers.ts';
import { sendOnce } from './send-once.ts';
import { sha256Hex } from './sha256.ts';
import { CutShort, type Transport, type TransportResponse } from './transport.ts';

export interface FileToDownload {
  /** For messages: what the client is doing. */
  readonly what: string;
  readonly url: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Lower-case hex, where it is known. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

/** Less than this is fetched again from the start: a second request costs as much. */
const worthKeeping = 256 * 1024;

/**
 * One file, which a try goes on with where the last one broke off: Range with If-Match (RFC 9110, sections 13 and 14), which a presigned
 * GET of S3 does not sign. What another ETag or SHA-256 shows to be another file is started over.
 */
export class Download {
  readonly #transport: Transport;
  readonly #file: FileToDownload;
  #held: { readonly bytes: Uint8Array; readonly etag: string } | undefined;

  constructor(transport: Transport, file: FileToDownload) {
    this.#transport = transport;
    this.#file = file;
  }

  /** Bytes that the next try need not fetch. */
  get heldBytes(): number {
    return this.#held?.bytes.length ?? 0;
  }

  /** @throws {FlError} to be tried again: `network`, `download-changed`, `checksum-mismatch`; `ticket-expired`; the problem of any other answer */
  async attempt(): Promise<Uint8Array> {
    const { what, url, maxBytes, timeoutMs, sha256, signal } = this.#file;
    const held = this.#held;
    const headers = held && { range: `bytes=${held.bytes.length}-`, 'if-match': held.etag };
    let response: TransportResponse;
    try {
      response = await sendOnce(this.#transport, what, { method: 'GET', url, headers, maxBytes, timeoutMs, signal });
    } catch (error) {
      if (error instanceof FlError && error.cause instanceof CutShort) this.#keep(error.cause.received);
      throw error;
    }
    // The object is another one, or shorter than what is held of it.
    if (held && (response.status === 412 || response.status === 416)) throw this.#startOver('it is another file now');
    // The URL lasts as long as the ticket that it came with.
    if (hasRunOut(response)) throw new FlError('ticket-expired', `${what}: the ticket ran out`);
    if (response.status >= 300) throw problemOf(response, what);
    const bytes = this.#joined(response);
    const total = contentRange(response)?.total ?? bytes.length;
    if (bytes.length !== total) throw this.#startOver(`${bytes.length} bytes of ${total}`);
    const found = sha256 && (await sha256Hex(bytes));
    if (found !== sha256) {
      this.#held = undefined;
      throw new FlError('checksum-mismatch', `${what}: SHA-256 ${found}, expected ${sha256}`, { retry: 'now' });
    }
    return bytes;
  }

  #keep(received: TransportResponse): void {
    const { status, headers } = received;
    if (status !== 200 && status !== 206) return;
    const bytes = this.#joined(received);
    const etag = headers.etag ?? this.#held?.etag ?? '';
    // A weak ETag does not promise the same bytes; an encoded body's are not the file's.
    const isExact = /^"[^"]+"$/.test(etag) && headers['content-encoding'] === undefined;
    this.#held = isExact && bytes.length >= worthKeeping ? { bytes, etag } : undefined;
  }

  /** What is held and what came after it; or what came, where a server sent all of it. */
  #joined(response: TransportResponse): Uint8Array {
    if (response.status !== 206) return response.body;
    const held = this.#held?.bytes ?? new Uint8Array();
    const { start } = contentRange(response) ?? {};
    if (start !== held.length) throw this.#startOver(`bytes from ${start}, expected from ${held.length}`);
    const length = held.length + response.body.length;
    if (length > this.#file.maxBytes) throw new FlError('answer-too-long', `${this.#file.what}: ${length} bytes`);
    const joined = new Uint8Array(length);
    joined.set(held);
    joined.set(response.body, held.length);
    return joined;
  }

  #startOver(why: string): FlError {
    this.#held = undefined;
    return new FlError('download-changed', `${this.#file.what}: ${why}; it starts over`, { retry: 'now' });
  }
}

function contentRange({ headers, status }: TransportResponse): { start: number; total: number } | undefined {
  const [, start, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(headers['content-range'] ?? '') ?? [];
  return status === 206 && start !== undefined ? { start: Number(start), total: Number(total) } : undefined;
}
