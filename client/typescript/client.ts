import type { Codec } from '../../shared/core/codec/codec.ts';
import type { Compressors } from '../../shared/core/codec/compressor.ts';
import { FlError } from '../../shared/core/errors.ts';
import type { Params } from '../../shared/core/params.ts';
import type {
  Metrics,
  PresignedGet,
  PresignedPut,
  TicketResponse,
  TicketStatusResponse,
} from '../../shared/wire/api.ts';
import { type ClientKey, generateClientKey } from '../../shared/wire/identity/keys.ts';
import { proveRequest, signStatement } from '../../shared/wire/identity/sign.ts';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';
import { usualAgent } from './agent.ts';
import { parsePresignedPut, parseTicket, parseTicketStatus, problemOf } from './answers.ts';
import { webCompressors } from './compressors.ts';
import { Download, type FileToDownload } from './download.ts';
import { type KeyStore, nextKey } from './key-store.ts';
import { participate } from './participate.ts';
import type { ParticipateOptions, ParticipationSummary, TrainingPackage } from './participation.ts';
import { defaultRetryPolicy, type RetryPolicy, realSurroundings, type Surroundings, withRetries } from './retry.ts';
import { sendOnce } from './send-once.ts';
import { sha256Hex } from './sha256.ts';
import { SignedApi } from './signed-api.ts';
import { isNoRoom, memoryStore, type Store } from './store.ts';
import { fetchTransport, type Transport } from './transport.ts';
import { applyDelta } from './version-delta.ts';

export interface ClientOptions {
  /** The API's address, e.g. the stack's output `ApiUrl`. */
  readonly endpoint: string;
  /** Who it is: what `enrol` gave, or a key file holds. */
  readonly identity: ClientKey;
  /** Where the identity's key came from, for `rotateKey`. */
  readonly keys?: KeyStore;
  readonly transport?: Transport;
  /** Where an unfinished update survives a crash; in memory by default, `folderStore` on Node. */
  readonly store?: Store;
  readonly retry?: Partial<RetryPolicy>;
  readonly surroundings?: Surroundings;
  /** Epoch milliseconds for proofs: the real time by default, also where that of `surroundings` is not. */
  readonly clock?: () => number;
  /** What it runs on, told to the operator with each update: at most 100 printable ASCII characters. */
  readonly agent?: string;
  /** Lossless formats that this place can write and read; zlib's by default. A task's codec without them is used without. */
  readonly compressors?: Compressors;
}

/** The server's answer to a client that asks to train. */
export type TicketAnswer =
  | { readonly kind: 'issued'; readonly ticket: TicketResponse }
  | { readonly kind: 'wait'; readonly retryAfterMs: number; readonly code: string; readonly reason: string }
  | { readonly kind: 'ended'; readonly reason: string };

/** The ticket that an update is for. */
export type UpdateTicket = Pick<TicketResponse, 'ticket' | 'task' | 'baseVersion'>;

/** An encoded update and what a client says about it. */
export interface UpdateToStore {
  readonly bytes: Uint8Array;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly examples: number;
  readonly metrics: Metrics;
  /** Absent for plain float32. */
  readonly codec?: Codec;
}

const answerBytes = 1024 * 1024;
const modelBytes = 4 * 1024 ** 3;
const transferTimeoutMs = 15 * 60_000;
const defaultPauseMs = 2_000;

/** One client of federated tasks: asks for tickets, trains through your callback, uploads the difference. */
export class TributaryClient {
  readonly store: Store;
  readonly surroundings: Surroundings;
  readonly compressors: Compressors;
  readonly #api: SignedApi;
  readonly #keys: KeyStore | undefined;
  readonly #transport: Transport;
  readonly #retry: RetryPolicy;
  readonly #agent: string;
  /** The newest model of each task that keeps differences between versions. */
  readonly #models = new Map<string, { readonly version: number; readonly params: Params }>();

  /** @throws {RangeError} on an endpoint that is not an http(s) URL */
  constructor(options: ClientOptions) {
    const { endpoint, identity, keys, clock } = options;
    this.#transport = options.transport ?? fetchTransport;
    this.#api = new SignedApi({ endpoint, key: identity, transport: this.#transport, keys, clock });
    this.#keys = keys;
    this.#retry = { ...defaultRetryPolicy, ...options.retry };
    this.#agent = options.agent ?? usualAgent();
    this.store = options.store ?? memoryStore();
    this.surroundings = options.surroundings ?? realSurroundings;
    this.compressors = options.compressors ?? webCompressors;
  }

  /** The name and the key that it signs with. */
  get identity(): ClientKey {
    return this.#api.key;
  }

  /**
   * Replaces the key by a new one; the old one is refused from then on. May be repeated until an answer comes: the new key
   * is kept beside the old one before it is sent.
   * @returns the new key, which is `current` in `keys`
   * @throws {RangeError} if the client was made without `keys`: the new key would be lost with the process
   */
  async rotateKey(signal?: AbortSignal): Promise<ClientKey> {
    if (!this.#keys) throw new RangeError('keys: a client that rotates its key needs a key store');
    const { client, privateKey } = this.identity;
    const next = await nextKey(this.#keys, client, () => generateClientKey(client, privateKey.extractable));
    const path = ['keys'];
    const request = { method: 'POST', url: this.#api.url(path), body: new Uint8Array() } as const;
    const content = async (_: ClientKey, nowMs: number) => ({
      publicKey: next.publicKey,
      proof: await proveRequest(next, request, nowMs),
    });
    await this.#repeat(signal, async () => {
      const response = await this.#api.send({ what: 'rotating the key', method: 'POST', path, content, signal });
      // An earlier try got through and its answer was lost: the old key was refused and the new one was not.
      if (this.identity.kid === next.kid) return;
      if (response.status >= 300) {
        const problem = problemOf(response, 'the key was not rotated');
        // One that was registered before, and replaced: the next rotation makes another.
        if (problem.code === 'key-replaced') await this.#keys?.delete('next');
        throw problem;
      }
      await this.#api.promote(next);
    });
    return next;
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
      const response = await this.#api.send({
        what: 'requesting a ticket',
        method: 'POST',
        path: ['tasks', task, 'tickets'],
        content: { have: this.#models.get(task)?.version },
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
    const what = 'downloading the model';
    const bytes = await this.#download({ what, url: ticket.modelUrl, maxBytes: modelBytes, signal });
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
    // No codec writes more than the values themselves and a little.
    const mostDeltaBytes = 2 * values.byteLength + answerBytes;
    let bytes = 0;
    for (const { urls } of deltas) {
      const files = await Promise.all(
        urls.map((url) => this.#download({ what: 'downloading a difference', url, maxBytes: mostDeltaBytes, signal })),
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
    const file = async (name: string, { url, bytes, sha256 }: PresignedGet): Promise<Uint8Array> => {
      const kept = await this.store.get(`artifact/${sha256}`);
      if (kept && kept.length === bytes && (await sha256Hex(kept)) === sha256) return kept;
      const content = await this.#download({ what: `downloading ${name}`, url, maxBytes: bytes, sha256, signal });
      downloaded += content.length;
      // It can be downloaded again, so a disk without room for it is no fault.
      await this.store.set(`artifact/${sha256}`, content).catch((error: unknown) => {
        if (!isNoRoom(error)) throw error;
      });
      return content;
    };
    const { 'encoding.json': encoding, ...graphs } = ticket.package;
    const [evaluate, step, epoch, agreed] = await Promise.all([
      file('evaluate.onnx', graphs['evaluate.onnx']),
      file('train-step.onnx', graphs['train-step.onnx']),
      file('train-epoch.onnx', graphs['train-epoch.onnx']),
      encoding && file('encoding.json', encoding),
    ]);
    return {
      package: {
        'evaluate.onnx': evaluate,
        'train-step.onnx': step,
        'train-epoch.onnx': epoch,
        ...(agreed && { 'encoding.json': agreed }),
      },
      bytes: downloaded,
    };
  }

  /**
   * Declares and stores an update. Resolves once it is stored, also if an earlier try of the same update stored it.
   * @param again true if an earlier process may have stored these bytes already
   */
  async upload(
    ticket: UpdateTicket,
    update: UpdateToStore,
    { again = false, signal }: { readonly again?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    // A presigned URL may expire while the network is down, so each try asks for a new one.
    await this.#repeat(signal, async (triesBefore) => {
      const put = await this.#declare(ticket, update, signal);
      const response = await sendOnce(this.#transport, 'storing the update', {
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
      const problem = problemOf(response, 'the update was not stored');
      if (response.status !== 403) throw problem;
      // Its time is over: the next try gets another URL, or hears that the ticket's time is over too.
      const why = problem.message.replace(/^\[[^\]]+\] /, '');
      throw new FlError('upload-url-expired', why, { retry: 'now', cause: problem });
    });
  }

  /** Where a ticket's update is. */
  async ticketStatus(ticket: string, signal?: AbortSignal): Promise<TicketStatusResponse> {
    return this.#repeat(signal, async () => {
      const path = ['tickets', ticket];
      const response = await this.#api.send({ what: 'asking for the ticket', method: 'GET', path, signal });
      if (response.status >= 300) throw problemOf(response, `no status of ticket ${ticket.slice(0, 8)}…`);
      return parseTicketStatus(response.body);
    });
  }

  async #declare(
    { ticket, task, baseVersion }: UpdateTicket,
    update: UpdateToStore,
    signal?: AbortSignal,
  ): Promise<PresignedPut> {
    const { sha256, examples } = update;
    const bytes = update.bytes.length;
    const response = await this.#api.send({
      what: 'declaring the update',
      method: 'POST',
      path: ['tickets', ticket, 'upload'],
      content: async (key) => {
        const said = { sub: key.client, task, ticket, baseVersion, bytes, sha256, examples };
        return { ...update, bytes, agent: this.#agent, statement: await signStatement(key, said) };
      },
      signal,
    });
    if (response.status >= 300) throw problemOf(response, 'the update was refused');
    return parsePresignedPut(response.body);
  }

  async #download(file: Omit<FileToDownload, 'timeoutMs'>): Promise<Uint8Array> {
    const download = new Download(this.#transport, { ...file, timeoutMs: transferTimeoutMs });
    for (;;) {
      const { heldBytes } = download;
      try {
        return await this.#repeat(file.signal, () => download.attempt());
      } catch (error) {
        // The tries are for a network that is down; one that is cut again and again gets somewhere.
        if (file.signal?.aborted || download.heldBytes <= heldBytes) throw error;
      }
    }
  }

  #repeat<T>(signal: AbortSignal | undefined, attempt: (triesBefore: number) => Promise<T>): Promise<T> {
    return withRetries(attempt, this.#retry, this.surroundings, signal);
  }
}
