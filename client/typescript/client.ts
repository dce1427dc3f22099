import type { Compressors } from '../../shared/core/codec/compressor.ts';
import { FlError } from '../../shared/core/errors.ts';
import { clientIdPattern } from '../../shared/core/names.ts';
import type { Params } from '../../shared/core/params.ts';
import type { PresignedPut, TicketResponse, TicketStatusResponse, UploadRequest } from '../../shared/wire/api.ts';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';
import { hasRunOut, parsePresignedPut, parseTicket, parseTicketStatus, problemOf } from './answers.ts';
import { webCompressors } from './compressors.ts';
import { participate } from './participate.ts';
import type { ParticipateOptions, ParticipationSummary, TrainingPackage } from './participation.ts';
import { defaultRetryPolicy, type RetryPolicy, realSurroundings, type Surroundings, withRetries } from './retry.ts';
import { sha256Hex } from './sha256.ts';
import { memoryStore, type Store } from './store.ts';
import { fetchTransport, type Transport, type TransportRequest, type TransportResponse } from './transport.ts';
import { applyDelta } from './version-delta.ts';

export interface ClientOptions {
  /** The API's address, e.g. the stack's output `ApiUrl`. */
  readonly endpoint: string;
  readonly identity: { readonly client: string };
  readonly transport?: Transport;
  /** Where an unfinished update survives a crash; in memory by default, `folderStore` on Node. */
  readonly store?: Store;
  readonly retry?: Partial<RetryPolicy>;
  readonly surroundings?: Surroundings;
  /** Lossless formats that this place can write and read; zlib's by default. A task's codec without them is used without. */
  readonly compressors?: Compressors;
}

/** The server's answer to a client that asks to train. */
export type TicketAnswer =
  | { readonly kind: 'issued'; readonly ticket: TicketResponse }
  | { readonly kind: 'wait'; readonly retryAfterMs: number; readonly code: string; readonly reason: string }
  | { readonly kind: 'ended'; readonly reason: string };

/** What a client says about its update before it stores it. */
type Declared = Omit<UploadRequest, 'client'> & { readonly client: string };

const answerBytes = 1024 * 1024;
const modelBytes = 4 * 1024 ** 3;
const callTimeoutMs = 60_000;
const transferTimeoutMs = 15 * 60_000;
const defaultPauseMs = 2_000;

/** One client of federated tasks: asks for tickets, trains through your callback, uploads the difference. */
export class TributaryClient {
  readonly identity: { readonly client: string };
  readonly store: Store;
  readonly surroundings: Surroundings;
  readonly compressors: Compressors;
  readonly #endpoint: string;
  readonly #transport: Transport;
  readonly #retry: RetryPolicy;
  /** The newest model of each task that keeps differences between versions. */
  readonly #models = new Map<string, { readonly version: number; readonly params: Params }>();

  /** @throws {RangeError} on an endpoint that is not an http(s) URL, or a client id the server would refuse */
  constructor({ endpoint, identity, transport, store, retry, surroundings, compressors }: ClientOptions) {
    if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
      throw new RangeError(`endpoint: expected an http or https URL, got ${JSON.stringify(endpoint)}`);
    }
    if (!clientIdPattern.test(identity.client)) {
      throw new RangeError(
        `identity.client: expected 1 to 64 of A-Z a-z 0-9 . _ -, got ${JSON.stringify(identity.client)}`,
      );
    }
    this.#endpoint = endpoint.replace(/\/+$/, '');
    this.#transport = transport ?? fetchTransport;
    this.#retry = { ...defaultRetryPolicy, ...retry };
    this.identity = identity;
    this.store = store ?? memoryStore();
    this.surroundings = surroundings ?? realSurroundings;
    this.compressors = compressors ?? webCompressors;
  }

  /**
   * Takes part in a task until it ends, `maxUpdates` is reached or `signal` aborts.
   * @throws {FlError} with the server's code on a refusal that waiting does not cure, e.g. `task-unknown`
   */
  participate(task: string, options: ParticipateOptions): Promise<ParticipationSummary> {
    return participate(this, task, options);
  }

  /** Asks for leave to train. @throws {FlError} on anything but a ticket, a request to wait, and the task's end */
  async requestTicket(task: string, signal?: AbortSignal): Promise<TicketAnswer> {
    return this.#repeat(signal, async () => {
      const response = await this.#send('requesting a ticket', {
        ...this.#post({ client: this.identity.client, have: this.#models.get(task)?.version }),
        url: this.#url('tasks', task, 'tickets'),
        signal,
      });
      if (response.status < 300) return { kind: 'issued', ticket: parseTicket(response.body) };
      const problem = problemOf(response, `no ticket for task ${task}`);
      if (response.status === 410) return { kind: 'ended', reason: problem.message };
      if (response.status !== 429 && problem.code !== 'task-not-started') throw problem;
      const { code, message, retryAfterMs = defaultPauseMs } = problem;
      return { kind: 'wait', retryAfterMs, code, reason: message };
    });
  }

  /** Downloads the ticket's model version. @throws {FlError} `safetensors-malformed` if it is not one */
  async downloadModel(ticket: TicketResponse, signal?: AbortSignal): Promise<{ params: Params; bytes: number }> {
    const kept = this.#models.get(ticket.task);
    if (kept?.version === ticket.baseVersion) return { params: kept.params, bytes: 0 };
    const followed = kept && (await this.#followDeltas(kept, ticket, signal));
    const model = followed ?? (await this.#downloadWhole(ticket, signal));
    if (ticket.deltas) this.#models.set(ticket.task, { version: ticket.baseVersion, params: model.params });
    return model;
  }

  async #downloadWhole(ticket: TicketResponse, signal?: AbortSignal): Promise<{ params: Params; bytes: number }> {
    const bytes = await this.#repeat(signal, () =>
      this.#download('downloading the model', ticket.modelUrl, modelBytes, signal),
    );
    const { layout, values } = parseSafetensors(bytes);
    return { params: { layout, values }, bytes: bytes.length };
  }

  /** From the version at hand to the ticket's by the differences between them; undefined where they do not lead there. */
  async #followDeltas(
    { version, params }: { readonly version: number; readonly params: Params },
    { deltas = [], baseVersion }: TicketResponse,
    signal?: AbortSignal,
  ): Promise<{ params: Params; bytes: number } | undefined> {
    const leadsThere = deltas.length > 0 && deltas.every((delta, i) => delta.version === version + 1 + i);
    if (!leadsThere || deltas.at(-1)?.version !== baseVersion) return undefined;
    let { values } = params;
    let bytes = 0;
    for (const { urls } of deltas) {
      const files = await Promise.all(
        urls.map((url) =>
          this.#repeat(signal, () => this.#download('downloading a difference', url, modelBytes, signal)),
        ),
      );
      for (const { length } of files) bytes += length;
      values = await applyDelta(values, files, this.compressors);
    }
    return { params: { layout: params.layout, values }, bytes };
  }

  /** Downloads the ticket's training package; what is in the store already is not fetched again. */
  async downloadPackage(
    ticket: TicketResponse,
    signal?: AbortSignal,
  ): Promise<{ package: TrainingPackage; bytes: number }> {
    let downloaded = 0;
    const file = async (name: keyof TrainingPackage): Promise<Uint8Array> => {
      const { url, bytes, sha256 } = ticket.package[name];
      const kept = await this.store.get(`artifact/${sha256}`);
      if (kept && kept.length === bytes && (await sha256Hex(kept)) === sha256) return kept;
      return this.#repeat(signal, async () => {
        const content = await this.#download(`downloading ${name}`, url, bytes, signal);
        const found = await sha256Hex(content);
        if (found !== sha256) {
          throw new FlError('checksum-mismatch', `${name}: SHA-256 ${found}, expected ${sha256}`, { retry: 'now' });
        }
        await this.store.set(`artifact/${sha256}`, content);
        downloaded += content.length;
        return content;
      });
    };
    const [evaluate, step, epoch] = await Promise.all([
      file('evaluate.onnx'),
      file('train-step.onnx'),
      file('train-epoch.onnx'),
    ]);
    return {
      package: { 'evaluate.onnx': evaluate, 'train-step.onnx': step, 'train-epoch.onnx': epoch },
      bytes: downloaded,
    };
  }

  /**
   * Declares and stores an update. Resolves once it is stored, also if an earlier try of the same update stored it.
   * @param again true if an earlier process may have stored these bytes already
   */
  async upload(
    ticket: string,
    update: Omit<Declared, 'client' | 'bytes'> & { readonly bytes: Uint8Array },
    { again = false, signal }: { readonly again?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const declared = { ...update, client: this.identity.client, bytes: update.bytes.length };
    // A presigned URL may expire while the network is down, so each try asks for a new one.
    await this.#repeat(signal, async (triesBefore) => {
      const put = await this.#declare(ticket, declared, signal);
      const response = await this.#send('storing the update', {
        method: 'PUT',
        url: put.url,
        headers: put.headers,
        body: update.bytes,
        maxBytes: answerBytes,
        timeoutMs: transferTimeoutMs,
        signal,
      });
      if (response.status < 300) return;
      // The URL is bound to the bytes and to "if none is there": what is there already is this very update.
      if (response.status === 412 && (again || triesBefore > 0)) return;
      // Whoever declares again learns whether the ticket has run out, too.
      if (hasRunOut(response)) throw new FlError('url-expired', 'the update came too late', { retry: 'now' });
      throw problemOf(response, 'the update was not stored');
    });
  }

  /** Where a ticket's update is. */
  async ticketStatus(ticket: string, signal?: AbortSignal): Promise<TicketStatusResponse> {
    return this.#repeat(signal, async () => {
      const response = await this.#send('asking for the ticket', {
        method: 'GET',
        url: `${this.#url('tickets', ticket)}?client=${encodeURIComponent(this.identity.client)}`,
        maxBytes: answerBytes,
        timeoutMs: callTimeoutMs,
        signal,
      });
      if (response.status >= 300) throw problemOf(response, `no status of ticket ${ticket.slice(0, 8)}…`);
      return parseTicketStatus(response.body);
    });
  }

  async #declare(ticket: string, declared: Declared, signal?: AbortSignal): Promise<PresignedPut> {
    const response = await this.#send('declaring the update', {
      ...this.#post(declared),
      url: this.#url('tickets', ticket, 'upload'),
      signal,
    });
    if (response.status >= 300) throw problemOf(response, 'the update was refused');
    return parsePresignedPut(response.body);
  }

  async #download(what: string, url: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    const response = await this.#send(what, { method: 'GET', url, maxBytes, timeoutMs: transferTimeoutMs, signal });
    // It lasts as long as the ticket that it came with.
    if (hasRunOut(response)) throw new FlError('ticket-expired', `${what}: the ticket ran out`);
    if (response.status >= 300) throw problemOf(response, what);
    return response.body;
  }

  #repeat<T>(signal: AbortSignal | undefined, attempt: (triesBefore: number) => Promise<T>): Promise<T> {
    return withRetries(attempt, this.#retry, this.surroundings, signal);
  }

  async #send(what: string, request: TransportRequest): Promise<TransportResponse> {
    try {
      return await this.#transport(request);
    } catch (cause) {
      request.signal?.throwIfAborted();
      const tooLong = cause instanceof RangeError;
      throw new FlError(tooLong ? 'answer-too-long' : 'network', `${what}: ${reasonOf(cause)}`, {
        retry: tooLong ? 'never' : 'now',
        cause,
      });
    }
  }

  #post(body: unknown): Pick<TransportRequest, 'method' | 'headers' | 'body' | 'maxBytes' | 'timeoutMs'> {
    return {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new TextEncoder().encode(JSON.stringify(body)),
      maxBytes: answerBytes,
      timeoutMs: callTimeoutMs,
    };
  }

  #url(...path: readonly string[]): string {
    return `${this.#endpoint}/v1/${path.map(encodeURIComponent).join('/')}`;
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
