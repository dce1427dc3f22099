import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { AccessDenied } from '../service.ts';
import { SigV4Error, verifySignature } from '../sigv4.ts';
import { type ApiState, operations } from './api.ts';
import { ApiError } from './api-error.ts';
import { ApiRequest } from './api-request.ts';

const maxBodyBytes = 1024 * 1024;
const target = 'AWSStepFunctions.';

/** Step Functions' JSON 1.0 protocol over HTTP. */
export function createApiServer(api: ApiState): Server {
  return createServer((request, response) => {
    answer(api, request).then(
      (body) => send(response, 200, JSON.stringify(body)),
      (cause) => {
        const { code, message, status } = errorOf(cause);
        response.setHeader('x-amzn-errortype', code);
        send(response, status, JSON.stringify({ __type: `com.amazonaws.swf.service.v2.model#${code}`, message }));
      },
    );
  });
}

async function answer(api: ApiState, request: IncomingMessage): Promise<unknown> {
  const { method = '', url = '', headers } = request;
  const body = await bodyOf(request);
  if (method !== 'POST') throw new ApiError('UnknownOperationException', `${method} is not an operation`);
  const bodySha256 = createHash('sha256').update(body).digest('hex');
  // signatures carry the caller's time, whatever clock the executions live in
  const options = { service: 'states', nowMs: Date.now() };
  const { accessKeyId } = verifySignature({ method, url, headers, bodySha256 }, api.guard, options);
  const called = headers['x-amz-target'];
  const name = typeof called === 'string' ? called : '';
  const operation = name.startsWith(target) ? operations.get(name.slice(target.length)) : undefined;
  if (operation === undefined) {
    throw new ApiError('UnknownOperationException', `The operation ${name || '(none)'} is not supported locally`);
  }
  return operation(api, new ApiRequest(body.toString('utf8')), accessKeyId);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // what is too much is read to its end, but not kept, so that the client hears why
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (size > maxBodyBytes) throw new ApiError('SerializationException', `The request has ${size} bytes`, 413);
  return Buffer.concat(chunks);
}

function errorOf(cause: unknown): { code: string; message: string; status: number } {
  if (cause instanceof ApiError) return cause;
  if (cause instanceof SigV4Error) return { code: cause.jsonCode, message: cause.message, status: 400 };
  if (cause instanceof AccessDenied) {
    return { code: 'AccessDeniedException', message: `User: ${cause.message}`, status: 400 };
  }
  return { code: 'InternalFailure', message: cause instanceof Error ? cause.message : String(cause), status: 500 };
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(body);
}
