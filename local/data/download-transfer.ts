import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';

/** Why a mirror did not deliver: `passing` is worth another try, `refused` is not, `corrupt` means other bytes than expected. */
export class TransferError extends Error {
  override readonly name = 'TransferError';
  readonly kind: 'passing' | 'refused' | 'corrupt';

  constructor(kind: TransferError['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export interface Transfer {
  readonly url: string;
  /** The partial file; goes on where it ends. `PART.from` beside it holds the URL and validator it came with. */
  readonly part: string;
  /** The size of the whole file. */
  readonly bytes: number;
  readonly idleTimeoutMs: number;
  readonly signal?: AbortSignal;
  readonly onBytes?: (done: number) => void;
}

/**
 * One GET that leaves the whole file in `part`, or as much as came. Resumes with Range and If-Range (RFC 9110,
 * section 13.1.5), and starts over where the server or its validator no longer agrees.
 * @returns whether bytes of an earlier try are part of it
 * @throws {TransferError}
 */
export async function transfer({
  url,
  part,
  bytes,
  idleTimeoutMs,
  signal,
  onBytes,
}: Transfer): Promise<{ resumed: boolean }> {
  const resume = await resumePoint(part, url, bytes);
  if (resume?.start === bytes) return { resumed: true };
  const headers: Record<string, string> = { 'accept-encoding': 'identity', 'user-agent': 'tributary' };
  if (resume) Object.assign(headers, { range: `bytes=${resume.start}-`, 'if-range': resume.validator });
  const response = await open(url, headers, idleTimeoutMs, signal);
  try {
    if (response.statusCode === 416) {
      await discard(part);
      throw new TransferError('passing', `has no range from byte ${resume?.start}`);
    }
    const start = startOf(response, resume?.start, bytes);
    const validator = validatorOf(response);
    // Nothing may wait between the headers and the first read: a cut would throw away what has already come.
    if (validator) writeFileSync(`${part}.from`, `${url}\n${validator}`);
    else rmSync(`${part}.from`, { force: true });
    await receive(response, part, start, bytes, onBytes);
    return { resumed: start > 0 };
  } catch (error) {
    response.destroy();
    signal?.throwIfAborted();
    if (error instanceof TransferError && error.kind !== 'passing') await discard(part);
    throw error;
  }
}

/** Removes a partial file and what is known of it. */
export async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.from`, { force: true });
}

async function resumePoint(part: string, url: string, bytes: number) {
  const size = await stat(part).then(
    ({ size }) => size,
    () => 0,
  );
  const [from, validator] = await readFile(`${part}.from`, 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  );
  return size > 0 && size <= bytes && from === url && validator ? { start: size, validator } : undefined;
}

/** The offset of the first byte of the response's body. */
function startOf(response: http.IncomingMessage, asked: number | undefined, bytes: number): number {
  const { statusCode = 0, headers } = response;
  if (statusCode === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
    if (
      !range ||
      asked === undefined ||
      Number(range[1]) !== asked ||
      (range[3] !== '*' && Number(range[3]) !== bytes)
    ) {
      throw new TransferError(
        'refused',
        `answered with the range "${headers['content-range']}", expected ${asked}- of ${bytes}`,
      );
    }
    return asked;
  }
  if (statusCode !== 200) {
    const passing = statusCode >= 500 || statusCode === 429 || statusCode === 408;
    throw new TransferError(passing ? 'passing' : 'refused', `HTTP status ${statusCode}`);
  }
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== bytes) {
    throw new TransferError('refused', `offers ${length} bytes, expected ${bytes}`);
  }
  return 0;
}

/** A strong ETag or a date that If-Range may carry. */
function validatorOf({ headers }: http.IncomingMessage): string | undefined {
  return headers.etag && !headers.etag.startsWith('W/') ? headers.etag : headers['last-modified'];
}

/** Writes each chunk as it comes and at once, so that what came before a cut is on the disk for the next try. */
async function receive(
  response: http.IncomingMessage,
  part: string,
  start: number,
  bytes: number,
  onBytes: Transfer['onBytes'],
): Promise<void> {
  const file = openSync(part, start > 0 ? 'r+' : 'w');
  let done = start;
  try {
    await new Promise<void>((resolve, reject) => {
      response.on('data', (chunk: Buffer) => {
        try {
          if (done + chunk.length > bytes) throw new TransferError('refused', `sends more than ${bytes} bytes`);
          for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at, chunk.length - at, done + at);
          done += chunk.length;
          onBytes?.(done);
        } catch (error) {
          reject(error);
        }
      });
      response.on('end', resolve);
      response.on('error', (error) => reject(new TransferError('passing', describe(error), error)));
      response.on('close', () => reject(new TransferError('passing', `closed after ${done} of ${bytes} bytes`)));
    });
  } finally {
    closeSync(file);
  }
  if (done < bytes) throw new TransferError('passing', `ended after ${done} of ${bytes} bytes`);
}

async function open(
  url: string,
  headers: Record<string, string>,
  idleTimeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<http.IncomingMessage> {
  let current = new URL(url);
  for (let hops = 0; hops <= 5; hops++) {
    const response = await get(current, headers, idleTimeoutMs, signal);
    const { statusCode = 0, headers: answer } = response;
    if (![301, 302, 303, 307, 308].includes(statusCode) || !answer.location) return response;
    response.resume();
    const next = new URL(answer.location, current);
    if (next.protocol !== current.protocol)
      throw new TransferError('refused', `redirects from ${current.protocol}// to ${next.protocol}//`);
    current = next;
  }
  throw new TransferError('refused', 'redirects more than 5 times');
}

function get(url: URL, headers: Record<string, string>, idleTimeoutMs: number, signal: AbortSignal | undefined) {
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback)) {
    throw new TransferError('refused', `${url.protocol}//${url.host} is not https`);
  }
  const client = url.protocol === 'https:' ? https : http;
  // An agent of its own: the global one would follow HTTPS_PROXY under NODE_USE_ENV_PROXY.
  const agent = new client.Agent({ keepAlive: false });
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = client.get(url, { headers, agent, signal, timeout: idleTimeoutMs }, (response) => {
      // A response that is dropped unread may still report its own end as an error.
      response.on('error', () => {});
      resolve(response);
    });
    request.on('timeout', () => request.destroy(new Error(`silent for ${idleTimeoutMs} ms`)));
    request.on('error', (error) => reject(new TransferError('passing', describe(error), error)));
  });
}

function describe(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describe(error.errors[0]);
  return error instanceof Error ? error.message || error.name : String(error);
}
