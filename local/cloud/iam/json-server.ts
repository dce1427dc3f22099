import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AccessDenied, type Guard } from '../service.ts';
import { SigV4Error, verifySignature } from '../sigv4.ts';

export type JsonObject = { readonly [name: string]: unknown };

/** Messages may quote the request. */
const mostMessage = 2_000;

/** An error that the SDK shall see. `type` is the namespaced shape, e.g. `com.amazonaws.sqs#QueueDoesNotExist`. */
export class AwsJsonError extends Error {
  override readonly name = 'AwsJsonError';
  readonly status: number;
  /** The `__type`, the message, and what the shape adds to them. */
  readonly body: JsonObject;
  /** Code of the older query protocol, which SQS still sends in a header. */
  readonly queryCode: string | undefined;

  constructor(
    type: string,
    message: string,
    details: { readonly status?: number; readonly queryCode?: string; readonly fields?: JsonObject } = {},
  ) {
    const line = message.slice(0, mostMessage);
    super(line);
    this.status = details.status ?? 400;
    this.body = { __type: type, message: line, ...details.fields };
    this.queryCode = details.queryCode;
  }
}

/** One authenticated call of the AWS JSON 1.0 protocol. */
export interface JsonCall {
  readonly operation: string;
  readonly input: JsonObject;
  readonly accessKeyId: string;
  readonly bodyBytes: number;
  /** Aborts when the caller hangs up, so that a long poll does not take messages nobody will get. */
  readonly signal: AbortSignal;
}

export interface JsonServerOptions {
  /** SigV4 service name. */
  readonly service: string;
  /** What stands before the dot in `X-Amz-Target`. */
  readonly target: string;
  readonly guard: Guard;
  readonly maxBodyBytes: number;
  readonly port?: number;
  readonly nowMs?: () => number;
  /** Told of errors that are bugs; the caller sees a 500. */
  readonly onFault?: (error: unknown) => void;
  handle(call: JsonCall): Promise<JsonObject>;
}

const maxDepth = 80;

/** Serves AWS JSON 1.0 on 127.0.0.1: reads, authenticates, hands over, and turns errors into AWS's shapes. */
export async function startJsonServer(options: JsonServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      (options.onFault ?? console.error)(error);
      response.destroy();
    });
  });
  // Lambda functions and SDK agents keep connections; Node's 5 s would race their next request.
  server.keepAliveTimeout = 60_000;
  const port = await listen(server, options.port ?? 0);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('server has no TCP address'));
      else resolve(address.port);
    });
  });
}

async function serve(options: JsonServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hangUp = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) hangUp.abort();
  });
  const body = await readBody(request, options.maxBodyBytes);
  if (body === 'hung-up') return;
  if (body === 'too-large') {
    response.setHeader('connection', 'close');
    // Whoever is still sending reads the answer only when done.
    request.resume();
    reply(response, 413, { __type: `${coral}RequestEntityTooLargeException`, message: 'The request is too large' });
    return;
  }
  try {
    const call = authenticate(options, request, body);
    reply(response, 200, await options.handle({ ...call, signal: hangUp.signal }));
  } catch (error) {
    const refusal = asRefusal(error);
    if (!refusal) (options.onFault ?? console.error)(error);
    const { status, body: shape, queryCode } = refusal ?? internalError(error);
    if (queryCode) response.setHeader('x-amzn-query-error', `${queryCode};${status < 500 ? 'Sender' : 'Receiver'}`);
    reply(response, status, shape);
  }
}

const coral = 'com.amazon.coral.service#';

function authenticate(options: JsonServerOptions, request: IncomingMessage, body: Buffer): Omit<JsonCall, 'signal'> {
  const { method = '', url = '', headers } = request;
  if (method !== 'POST') throw new AwsJsonError(`${coral}UnknownOperationException`, `${method} is not supported`);
  const { accessKeyId, presigned } = verifySignature(
    { method, url, headers, bodySha256: createHash('sha256').update(body).digest('hex') },
    options.guard,
    { service: options.service, nowMs: (options.nowMs ?? Date.now)() },
  );
  // A presigned URL need not cover the body, and the body is the whole request here.
  if (presigned) throw new AwsJsonError(`${coral}IncompleteSignatureException`, 'presigned URLs are not supported');
  const target = String(headers['x-amz-target'] ?? '');
  const dot = target.indexOf('.');
  if (target.slice(0, dot) !== options.target) {
    throw new AwsJsonError(`${coral}UnknownOperationException`, `target "${target}" is not of ${options.target}`);
  }
  return { operation: target.slice(dot + 1), input: parseInput(body), accessKeyId, bodyBytes: body.length };
}

function parseInput(body: Buffer): JsonObject {
  let input: unknown;
  try {
    input = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AwsJsonError(`${coral}SerializationException`, `the body is not JSON: ${reason}`);
  }
  if (!isObject(input)) throw new AwsJsonError(`${coral}SerializationException`, 'the body is not a JSON object');
  refuseHostile(input, 0);
  return input;
}

/** Deep nesting would exhaust the stack of recursive readers, and `__proto__` would change what they read. */
function refuseHostile(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxDepth) {
    throw new AwsJsonError(`${coral}SerializationException`, `the body is nested deeper than ${maxDepth} levels`);
  }
  if (Object.hasOwn(value, '__proto__')) {
    throw new AwsJsonError(`${coral}SerializationException`, 'the name "__proto__" is not supported');
  }
  for (const inner of Object.values(value)) refuseHostile(inner, depth + 1);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asRefusal(error: unknown): AwsJsonError | undefined {
  if (error instanceof AwsJsonError) return error;
  if (error instanceof SigV4Error) return new AwsJsonError(`${coral}${error.jsonCode}`, error.message);
  if (error instanceof AccessDenied) {
    return new AwsJsonError(`${coral}AccessDeniedException`, error.message, { queryCode: 'AccessDeniedException' });
  }
  return undefined;
}

function internalError(error: unknown): AwsJsonError {
  const message = error instanceof Error ? error.message : String(error);
  return new AwsJsonError(`${coral}InternalServerError`, message, { status: 500 });
}

function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too-large' | 'hung-up'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        request.removeAllListeners('data');
        request.pause();
        resolve('too-large');
      } else {
        chunks.push(chunk);
      }
    });
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    request.once('error', () => resolve('hung-up'));
    request.once('close', () => resolve('hung-up'));
  });
}

function reply(response: ServerResponse, status: number, value: JsonObject): void {
  if (response.destroyed) return;
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': crypto.randomUUID(),
  });
  response.end(body);
}
