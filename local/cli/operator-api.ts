import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { problemOf } from '../../client/typescript/answers.ts';
import { defaultRetryPolicy, realSurroundings, withRetries } from '../../client/typescript/retry.ts';
import { fetchTransport, type Transport, type TransportResponse } from '../../client/typescript/transport.ts';
import { FlError } from '../../shared/core/errors.ts';
import type {
  CreateTaskInput,
  CreateTaskResponse,
  PresignedPut,
  TaskResponse,
  TaskSummary,
  VersionResponse,
} from '../../shared/wire/api.ts';
import type { DeadLetterChoice, DeadLettersMoved, DeadLettersResponse } from '../../shared/wire/dead-letters.ts';
import type {
  ClientResponse,
  ErasureResponse,
  InviteInput,
  InviteResponse,
  ListClientsResponse,
} from '../../shared/wire/identity/api.ts';
import { type SealKey, sealKeySchema } from '../../shared/wire/seal.ts';
import type { Endpoint } from './endpoint.ts';

const answerBytes = 64 * 1024 * 1024;
const callTimeoutMs = 60_000;
const transferTimeoutMs = 30 * 60_000;

/** The operator's routes, signed with SigV4 for IAM authorization. Its answers are trusted: it is one's own account. */
export class OperatorApi {
  readonly #endpoint: Endpoint;
  readonly #transport: Transport;

  constructor(endpoint: Endpoint, transport: Transport = fetchTransport) {
    this.#endpoint = endpoint;
    this.#transport = transport;
  }

  createTask(request: CreateTaskInput, signal?: AbortSignal): Promise<CreateTaskResponse> {
    return this.#call('POST', ['tasks'], request, signal);
  }

  startTask(task: string, signal?: AbortSignal): Promise<unknown> {
    return this.#call('POST', ['tasks', task, 'start'], {}, signal);
  }

  stopTask(task: string, signal?: AbortSignal): Promise<unknown> {
    return this.#call('POST', ['tasks', task, 'stop'], {}, signal);
  }

  async tasks(signal?: AbortSignal): Promise<readonly TaskSummary[]> {
    return (await this.#call<{ tasks: readonly TaskSummary[] }>('GET', ['tasks'], undefined, signal)).tasks;
  }

  task(task: string, signal?: AbortSignal): Promise<TaskResponse> {
    return this.#call('GET', ['tasks', task], undefined, signal);
  }

  async versions(task: string, signal?: AbortSignal): Promise<readonly VersionResponse[]> {
    const path = ['tasks', task, 'versions'];
    return (await this.#call<{ versions: readonly VersionResponse[] }>('GET', path, undefined, signal)).versions;
  }

  version(task: string, version: number, signal?: AbortSignal): Promise<VersionResponse> {
    return this.#call('GET', ['tasks', task, 'versions', String(version)], undefined, signal);
  }

  /** The key that the federation signs versions with. */
  async sealKey(signal?: AbortSignal): Promise<SealKey> {
    return sealKeySchema.parse(await this.#call('GET', ['seal-key'], undefined, signal));
  }

  rollback(task: string, version: number, signal?: AbortSignal): Promise<{ readonly version: number }> {
    return this.#call('POST', ['tasks', task, 'rollback'], { version }, signal);
  }

  /** One-time codes; a code for a client that has one already takes its place. */
  invite(request: InviteInput, signal?: AbortSignal): Promise<InviteResponse> {
    return this.#call('POST', ['invitations'], request, signal);
  }

  /** All clients, by name. */
  async clients(signal?: AbortSignal): Promise<readonly ClientResponse[]> {
    const clients: ClientResponse[] = [];
    let after: string | undefined;
    do {
      const page: ListClientsResponse = await this.#call('GET', ['clients'], undefined, signal, after && { after });
      clients.push(...page.clients);
      after = page.next;
    } while (after !== undefined);
    return clients;
  }

  client(client: string, signal?: AbortSignal): Promise<ClientResponse> {
    return this.#call('GET', ['clients', client], undefined, signal);
  }

  revoke(client: string, reason: string | undefined, signal?: AbortSignal): Promise<unknown> {
    return this.#call('POST', ['clients', client, 'revoke'], { reason }, signal);
  }

  erase(client: string, signal?: AbortSignal): Promise<ErasureResponse> {
    return this.#call('POST', ['clients', client, 'erase'], {}, signal);
  }

  deadLetters(signal?: AbortSignal): Promise<DeadLettersResponse> {
    return this.#call('GET', ['dead-letters'], undefined, signal);
  }

  redriveDeadLetters(choice: DeadLetterChoice, signal?: AbortSignal): Promise<DeadLettersMoved> {
    return this.#call('POST', ['dead-letters', 'redrive'], choice, signal);
  }

  dropDeadLetters(choice: DeadLetterChoice, signal?: AbortSignal): Promise<DeadLettersMoved> {
    return this.#call('POST', ['dead-letters', 'drop'], choice, signal);
  }

  /** Stores a file through a presigned PUT. */
  async put({ url, headers }: PresignedPut, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    await repeat(signal, async () => {
      const request = {
        method: 'PUT',
        url,
        headers,
        body,
        maxBytes: answerBytes,
        timeoutMs: transferTimeoutMs,
      } as const;
      const response = await this.#send({ ...request, signal });
      // The URL is bound to the bytes and to "if none is there": what is there already is this very file.
      if (response.status >= 300 && response.status !== 412) throw problemOf(response, 'the file was not stored');
    });
  }

  /** Downloads a presigned GET. */
  async get(url: string, signal?: AbortSignal): Promise<Uint8Array> {
    return repeat(signal, async () => {
      const request = { method: 'GET', url, maxBytes: 2 ** 32, timeoutMs: transferTimeoutMs } as const;
      const response = await this.#send({ ...request, signal });
      if (response.status >= 300) throw problemOf(response, 'the file was not downloaded');
      return response.body;
    });
  }

  #call<T>(
    method: 'GET' | 'POST',
    path: readonly string[],
    content: unknown,
    signal?: AbortSignal,
    query: Readonly<Record<string, string>> | '' = '',
  ): Promise<T> {
    return repeat(signal, async () => {
      const url = new URL(`${this.#endpoint.url}/v1/${path.map(encodeURIComponent).join('/')}`);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const body = content === undefined ? undefined : new TextEncoder().encode(JSON.stringify(content));
      const response = await this.#send({
        method,
        url: url.href,
        headers: await this.#sign(method, url, body),
        body,
        maxBytes: answerBytes,
        timeoutMs: callTimeoutMs,
        signal,
      });
      if (response.status >= 300) throw problemOf(response, `${method} ${url.pathname}`);
      const text = new TextDecoder().decode(response.body);
      try {
        return JSON.parse(text === '' ? '{}' : text) as T;
      } catch (cause) {
        throw new FlError('answer-malformed', `${method} ${url.pathname}: not JSON: ${text.slice(0, 80)}`, { cause });
      }
    });
  }

  async #send(request: Parameters<Transport>[0]): Promise<TransportResponse> {
    try {
      return await this.#transport(request);
    } catch (cause) {
      request.signal?.throwIfAborted();
      const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
      throw new FlError('network', `no answer from ${new URL(request.url).origin}: ${why}`, { retry: 'now', cause });
    }
  }

  async #sign(method: string, url: URL, body: Uint8Array | undefined): Promise<Record<string, string>> {
    const signer = new SignatureV4({
      service: 'execute-api',
      region: this.#endpoint.region,
      credentials: await this.#endpoint.credentials(),
      sha256: Sha256,
    });
    const headers: Record<string, string> = { host: url.host };
    if (body) headers['content-type'] = 'application/json';
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers,
      body,
    });
    return signed.headers;
  }
}

function repeat<T>(signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
  return withRetries(attempt, { ...defaultRetryPolicy, attempts: 4 }, realSurroundings, signal);
}
