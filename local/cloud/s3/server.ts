import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  AccessDenied,
  type Guard,
  type LocalService,
  localAccount,
  type Meter,
  type RequestContext,
} from '../service.ts';
import { SigV4Error, verifySignature } from '../sigv4.ts';
import { Bodies } from './bodies.ts';
import { type BucketSpec, checkBuckets } from './bucket-spec.ts';
import { bucketArn, type Call, type Deps, headerOf, objectArn, type Reply } from './call.ts';
import { Catalog } from './catalog.ts';
import { corsHeaders, preflight } from './cors.ts';
import { Database } from './database.ts';
import { deleteObject, deleteObjects } from './delete-object.ts';
import { S3Error } from './errors.ts';
import { getObject } from './get-object.ts';
import { listObjects } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { abortMultipartUpload, completeMultipartUpload, createMultipartUpload, uploadPart } from './multipart.ts';
import { type Operation, type OperationName, recognise } from './operations.ts';
import { type Notify, Outbox } from './outbox.ts';
import { putObject } from './put-object.ts';
import { errorReply, send } from './respond.ts';
import { parseTarget, type Target } from './target.ts';
import { toXml } from './xml.ts';

export type { BucketNotification, BucketSpec, CorsRule } from './bucket-spec.ts';
export type { QueueEvent } from './catalog.ts';

export interface S3Options {
  /** Holds everything; one process at a time. */
  readonly dir: string;
  readonly guard: Guard;
  readonly meter: Meter;
  readonly buckets: readonly BucketSpec[];
  /** Takes an S3 event (JSON text) for a queue; called again until it resolves, also after a restart. */
  readonly notify?: Notify;
  /** 0 or missing for any free port. */
  readonly port?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** Where refusals to pretend and failed deliveries are told; stderr by default. */
  readonly log?: (line: string) => void;
}

type Handler = (deps: Deps, call: Call) => Reply | Promise<Reply>;

const handlers = {
  ListBuckets: ({ buckets }) => ({
    status: 200,
    body: toXml('ListAllMyBucketsResult', {
      Buckets: { Bucket: [...buckets.keys()].sort().map((Name) => ({ Name })) },
    }),
  }),
  HeadBucket: () => ({ status: 200, headers: { 'x-amz-bucket-region': localAccount.region } }),
  ListObjectsV2: listObjects,
  ListMultipartUploads: listMultipartUploads,
  DeleteObjects: deleteObjects,
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: putObject,
  DeleteObject: deleteObject,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
} satisfies Record<OperationName, Handler>;

/**
 * Starts a local S3 (path-style, signature checked, one region) on 127.0.0.1.
 * @throws {RangeError} if a bucket asks for what it cannot do
 */
export async function createS3(options: S3Options): Promise<LocalService> {
  const log = options.log ?? ((line) => process.stderr.write(`${line}\n`));
  const buckets = checkBuckets(options.buckets);
  const { notify } = options;
  if (!notify && options.buckets.some(({ notifications = [] }) => notifications.length > 0)) {
    throw new RangeError('s3: a bucket has notifications, but there is no `notify` to send them');
  }
  const database = new Database(options.dir);
  const catalog = new Catalog(database);
  const referenced = catalog.referencedFiles();
  const bodies = await Bodies.open(join(options.dir, 'bodies'), (file) => referenced.has(file));
  const outbox = new Outbox(catalog, notify ?? (async () => {}), log);
  const { guard, meter, now = Date.now } = options;
  const deps: Deps = { buckets, catalog, bodies, outbox, guard, meter, now };

  const running = new Set<Promise<void>>();
  const handle = (message: IncomingMessage, response: ServerResponse) => {
    const served = serve(deps, log, message, response)
      .catch((error) => {
        // The connection broke: there is nobody left to answer.
        if (!response.destroyed) response.destroy();
        if (!isBrokenConnection(error)) log(`s3: ${message.method} ${message.url}: ${error}`);
      })
      .finally(() => running.delete(served));
    running.add(served);
  };
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0, highWaterMark: 1 << 20 }, handle);
  // Without this listener Node would invite every body; a refused request should not send one.
  server.on('checkContinue', handle);
  server.listen(options.port ?? 0, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    database.close();
    throw error;
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('s3: the server has no port');
  outbox.pump();
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    await Promise.all(running);
    await outbox.close();
    database.close();
  };
  let closing: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function serve(
  deps: Deps,
  log: (line: string) => void,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  const url = message.url ?? '';
  response.setHeader('x-amz-request-id', requestId);
  response.setHeader('x-amz-id-2', requestId);
  response.setHeader('server', 'tributary-local-s3');
  let reply: Reply;
  try {
    const target = parseTarget(url);
    const rules = deps.buckets.get(target.bucket)?.corsRules ?? [];
    for (const [name, value] of Object.entries(corsHeaders(rules, message.method ?? '', message.headers.origin))) {
      response.setHeader(name, value);
    }
    reply =
      message.method === 'OPTIONS'
        ? { status: 200, headers: preflight(rules, message.headers) }
        : await answer(deps, target, message, response, requestId);
  } catch (error) {
    if (message.destroyed && !message.complete) throw error;
    const isRefusal = error instanceof S3Error || error instanceof SigV4Error || error instanceof AccessDenied;
    if (!isRefusal) log(`s3: ${message.method} ${url}: ${error instanceof Error ? error.stack : error}`);
    if (error instanceof S3Error && error.code === 'NotImplemented') log(`s3: ${error.message}`);
    // Whoever waited for `100 Continue` may or may not send the body: nothing after it could be told apart.
    if (message.headers.expect !== undefined && !message.complete) response.setHeader('connection', 'close');
    reply = errorReply(error, url.split('?')[0], requestId);
  }
  await send(reply, message, response, deps);
}

async function answer(
  deps: Deps,
  target: Target,
  message: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<Reply> {
  const { headers, method = '', url = '' } = message;
  const { guard, meter, now } = deps;
  const { accessKeyId, presigned } = verifySignature({ method, url, headers }, guard, { service: 's3', nowMs: now() });
  const operation = recognise({ method, headers, ...target });
  const bucket = deps.buckets.get(target.bucket) ?? { name: target.bucket };
  const context = requestContext(operation, message, target, presigned);
  const authorize = (action: string, resource: string) => guard.authorize(accessKeyId, action, resource, context);
  // DeleteObjects asks for each key by itself.
  if (operation.name !== 'DeleteObjects') authorize(operation.action, resourceOf(operation, target));
  if (operation.on !== 'service' && !deps.buckets.has(target.bucket)) {
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: target.bucket });
  }
  if (operation.billedAs) meter.count(operation.billedAs);
  const { key, query } = target;
  const call = { bucket, key, query, headers, message, response, accessKeyId, requestId, authorize };
  return await handlers[operation.name](deps, call);
}

function resourceOf(operation: Operation, { bucket, key }: Target): string {
  return { service: '*', bucket: bucketArn(bucket), object: objectArn(bucket, key) }[operation.on];
}

function requestContext(
  operation: Operation,
  { headers }: IncomingMessage,
  { query }: Target,
  presigned: boolean,
): RequestContext {
  const context: Record<string, string> = {
    // The account that this gateway stands for is reached over TLS.
    'aws:SecureTransport': 'true',
    's3:authType': presigned ? 'REST-QUERY-STRING' : 'REST-HEADER',
    's3:signatureversion': 'AWS4-HMAC-SHA256',
  };
  for (const name of ['if-match', 'if-none-match', 'x-amz-content-sha256', 'x-amz-server-side-encryption']) {
    const value = headerOf(headers, name);
    if (value !== undefined) context[`s3:${name}`] = value;
  }
  if (operation.name === 'ListObjectsV2') {
    for (const name of ['prefix', 'delimiter', 'max-keys']) {
      const value = query.get(name);
      if (value !== undefined) context[`s3:${name}`] = value;
    }
  }
  return context;
}

function isBrokenConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR';
}
