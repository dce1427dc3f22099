import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '../listen.ts';
import type { LocalService } from '../service.ts';
import { payloadLimitBytes } from './invocation.ts';

/** What one execution environment does with the calls of its process. */
export interface RuntimeListener {
  /** The process asks for work: answer `response` when there is some. */
  next(response: ServerResponse): void;
  /** An invocation ended; `body` is JSON of the result or of the error, or undefined if it is larger than the limit. */
  finished(requestId: string, outcome: 'response' | 'error', body: string | undefined, sizeBytes: number): void;
  /** The handler could not be loaded. */
  initFailed(body: string): void;
  /** The process called an AWS service that does not run here. */
  unknownService(description: string): void;
}

/** The Lambda Runtime API (version 2018-06-01) of every environment, told apart by a token at the start of the path. */
export interface RuntimeApi extends LocalService {
  attach(token: string, listener: RuntimeListener): void;
  detach(token: string): void;
}

const runtimePath =
  /^\/2018-06-01\/runtime\/(?:(invocation\/next)|invocation\/([\w-]+)\/(response|error)|(init\/error))$/;

/** Starts the Runtime API. Under `/TOKEN/unknown` it also answers for every AWS service that the local cloud does not run. */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  const listeners = new Map<string, RuntimeListener>();
  const server = createServer((request, response) => {
    const [, token, rest] = /^\/([\w-]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const listener = listeners.get(token ?? '');
    if (!listener) return void reply(response, 403, { errorType: 'InvalidToken', errorMessage: 'no such environment' });
    serve(request, response, rest, listener).catch(() => response.destroy());
  });
  // An idle connection is a process that works: never close it first.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  const { url, close } = await listen(server);
  return {
    url,
    close,
    attach: (token, listener) => void listeners.set(token, listener),
    detach: (token) => void listeners.delete(token),
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, path: string, listener: RuntimeListener) {
  const [, next, requestId, outcome, init] = runtimePath.exec(path) ?? [];
  if (next && request.method === 'GET') return listener.next(response);
  if (path.startsWith('/unknown')) {
    const target = request.headers['x-amz-target'] ?? `${request.method} ${path.slice('/unknown'.length)}`;
    const scope = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
    listener.unknownService(`${scope ?? 'unknown service'}: ${target}`);
    const message = `the local cloud does not run the service behind ${target}`;
    return reply(response, 400, { __type: 'UnknownServiceException', message });
  }
  if (request.method !== 'POST' || (!outcome && !init)) {
    return reply(response, 404, { errorType: 'NotFound', errorMessage: `${request.method} ${path}` });
  }
  const { body, sizeBytes } = await read(request);
  const accepted = body !== undefined;
  reply(response, accepted ? 202 : 413, accepted ? { status: 'OK' } : { errorType: 'RequestEntityTooLarge' });
  if (init) listener.initFailed(body ?? '');
  else listener.finished(requestId, outcome === 'error' ? 'error' : 'response', body, sizeBytes);
}

/** Reads to the end even beyond the limit, so that the process gets its answer; keeps nothing then. */
async function read(request: IncomingMessage): Promise<{ body: string | undefined; sizeBytes: number }> {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    if (sizeBytes > payloadLimitBytes) chunks = [];
    else chunks.push(chunk);
  }
  return { body: sizeBytes > payloadLimitBytes ? undefined : Buffer.concat(chunks).toString(), sizeBytes };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
