import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationResult } from '../lambda/invocation.ts';
import { listen } from '../listen.ts';
import { AccessDenied, type Guard, type LocalService, localAccount, type Meter } from '../service.ts';
import { SigV4Error, verifySignature } from '../sigv4.ts';
import type { Json } from '../template/assembly.ts';
import type { ApiPlan, RoutePlan, StagePlan } from '../template/plan.ts';
import { askAuthorizer } from './authorizer.ts';
import { corsHeaders, isPreflight } from './cors.ts';
import { type ApiRequest, apiEvent, type Caller } from './event.ts';
import { type ApiReply, message, replyOf } from './reply.ts';
import { matchRoute } from './route.ts';
import { TokenBucket } from './token-bucket.ts';

export interface HttpApiOptions {
  readonly plan: ApiPlan;
  readonly guard: Guard;
  readonly meter: Meter;
  readonly port?: number;
  /** ARN behind an access key, for the event of a signed request. */
  arnOf(accessKeyId: string): string;
  /** True if a permission lets API Gateway invoke the function from `sourceArn`. */
  mayInvoke(functionArn: string, sourceArn: string): boolean;
  invoke(functionArn: string, event: Json): Promise<InvocationResult>;
  /** Something that the client only sees as a 500. */
  fault(text: string): void;
  /** Monotonic milliseconds, for throttling. */
  readonly monotonicMs?: () => number;
}

export interface HttpApi extends LocalService {
  /** Requests that are not answered yet. */
  inFlight(): number;
}

interface Incoming {
  readonly request: IncomingMessage;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly stage: StagePlan;
  /** Path without the stage. */
  readonly routePath: string;
}

const bodyLimitBytes = 10 * 1024 * 1024;

/** Runs one HTTP API of the plan: routes, IAM and Lambda authorization, throttling, CORS and Lambda proxy integrations. */
export async function createHttpApi(options: HttpApiOptions): Promise<HttpApi> {
  const buckets = bucketsOf(options.plan, options.monotonicMs ?? (() => performance.now()));
  let inFlight = 0;
  // Node would drop the second of two Authorization headers; API Gateway joins them.
  const server = createServer({ joinDuplicateHeaders: true }, (request, response) => {
    inFlight += 1;
    response.once('close', () => {
      inFlight -= 1;
    });
    serve(options, buckets, request)
      .catch((error: unknown) => {
        // A client that hung up in the middle of its body is nobody's fault.
        if (!request.complete) throw error;
        options.fault(`API ${options.plan.logicalId}: ${error instanceof Error ? error.stack : String(error)}`);
        return message(500, 'Internal Server Error');
      })
      .then((reply) => send(response, reply, request.method === 'HEAD'))
      .catch(() => response.destroy());
  });
  return { ...(await listen(server, options.port)), inFlight: () => inFlight };
}

async function serve(
  options: HttpApiOptions,
  buckets: ReadonlyMap<string, TokenBucket>,
  request: IncomingMessage,
): Promise<ApiReply> {
  const { plan, meter } = options;
  const method = request.method ?? 'GET';
  const [path, query] = splitOnce(request.url ?? '/', '?');
  const preflight = plan.cors !== undefined && isPreflight(method, request.headers);
  const cors = plan.cors ? corsHeaders(plan.cors, request.headers, preflight) : undefined;
  if (preflight) return { status: 204, headers: cors ?? {}, cookies: [], body: Buffer.alloc(0) };
  meter.count('http.requests');
  const staged = stageOf(plan.stages, path);
  const reply = staged
    ? await answer(options, buckets, { request, method, path, query, ...staged })
    : message(404, 'Not Found');
  return cors ? { ...reply, headers: { ...withoutCors(reply.headers), ...cors } } : reply;
}

async function answer(
  options: HttpApiOptions,
  buckets: ReadonlyMap<string, TokenBucket>,
  incoming: Incoming,
): Promise<ApiReply> {
  const { request, method, stage, routePath } = incoming;
  const { plan } = options;
  const match = matchRoute(plan.routes, method, routePath);
  if (!match) return message(404, 'Not Found');
  const { route } = match;
  const bucket = buckets.get(`${stage.name} ${route.routeKey}`) ?? buckets.get(stage.name);
  if (bucket && !bucket.take()) return message(429, 'Too Many Requests');
  const body = await read(request);
  if (!body) return message(413, 'Request Entity Too Large');
  const source = `${executeApi(plan.id)}/${stage.name}/${route.routeKey === '$default' ? '$default' : `${method}${route.routeKey.slice(route.routeKey.indexOf(' ') + 1)}`}`;
  if (!options.mayInvoke(route.functionArn, source)) {
    options.fault(
      `API ${plan.logicalId}: no AWS::Lambda::Permission lets it invoke ${route.functionArn} from ${source}`,
    );
    return message(500, 'Internal Server Error');
  }
  const described: ApiRequest = {
    apiId: plan.id,
    stage: stage.name,
    requestId: randomUUID(),
    method,
    path: incoming.path,
    query: incoming.query,
    headers: request.headers,
    body,
    sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
    timeMs: Date.now(),
    match,
  };
  const caller = await callerOf(options, incoming, described);
  if (caller && 'status' in caller) return caller;
  return integrate(options, route, apiEvent(described, caller));
}

/** Who asks, or the reply to somebody who may not. */
async function callerOf(
  options: HttpApiOptions,
  incoming: Incoming,
  described: ApiRequest,
): Promise<Caller | ApiReply | undefined> {
  const { authorization } = described.match.route;
  if (authorization === 'NONE') return undefined;
  if (authorization === 'AWS_IAM') return signerOf(options, incoming, described.body) ?? message(403, 'Forbidden');
  const { id } = options.plan;
  const routeArn = `${executeApi(id)}/${described.stage}/${described.method}${incoming.routePath}`;
  const source = `${executeApi(id)}/authorizers/${authorization.id}`;
  return askAuthorizer(options, authorization, { described, routeArn, source });
}

/** The integration's timeout is the client's: the function runs on. */
async function integrate(options: HttpApiOptions, route: RoutePlan, event: Json): Promise<ApiReply> {
  const giveUp = new AbortController();
  const result = await Promise.race([
    options.invoke(route.functionArn, event),
    sleep(route.timeoutMs, undefined, { signal: giveUp.signal }),
  ]).finally(() => giveUp.abort());
  if (!result) return message(503, 'Service Unavailable');
  if ('payload' in result) return replyOf(result.payload);
  if (result.functionError.errorType === 'RequestEntityTooLarge') return message(413, 'Request Entity Too Large');
  return message(500, 'Internal Server Error');
}

/** Who signed; undefined if the signature does not stand or its holder may not call. */
function signerOf({ guard, plan, arnOf }: HttpApiOptions, incoming: Incoming, body: Buffer): Caller | undefined {
  const { request, method, stage, routePath } = incoming;
  try {
    const bodySha256 = createHash('sha256').update(body).digest('hex');
    const signed = { method, url: request.url ?? '/', headers: request.headers, bodySha256 };
    const { accessKeyId } = verifySignature(signed, guard, { service: 'execute-api', nowMs: Date.now() });
    guard.authorize(accessKeyId, 'execute-api:Invoke', `${executeApi(plan.id)}/${stage.name}/${method}${routePath}`);
    return { kind: 'iam', accessKeyId, userArn: arnOf(accessKeyId) };
  } catch (error) {
    if (error instanceof SigV4Error || error instanceof AccessDenied) return undefined;
    throw error;
  }
}

/** A named stage is the first segment of the path; `$default` takes every other path. */
function stageOf(stages: readonly StagePlan[], path: string): { stage: StagePlan; routePath: string } | undefined {
  const first = path.split('/')[1];
  const named = stages.find(({ name }) => name === first);
  if (named) return { stage: named, routePath: path.slice(first.length + 1) || '/' };
  const fallback = stages.find(({ name }) => name === '$default');
  return fallback && { stage: fallback, routePath: path };
}

/** A bucket for each stage and, where it has limits of its own, each route. */
function bucketsOf({ stages }: ApiPlan, nowMs: () => number): ReadonlyMap<string, TokenBucket> {
  const buckets = new Map<string, TokenBucket>();
  for (const { name, throttle, routeThrottles } of stages) {
    if (throttle) buckets.set(name, new TokenBucket(throttle, nowMs));
    for (const [key, limits] of Object.entries(routeThrottles))
      buckets.set(`${name} ${key}`, new TokenBucket(limits, nowMs));
  }
  return buckets;
}

function executeApi(apiId: string): string {
  const { partition, region, accountId } = localAccount;
  return `arn:${partition}:execute-api:${region}:${accountId}:${apiId}`;
}

/** The body, or undefined if it is over 10 MB; what is over is read and dropped, so that the client sees the answer. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    if (sizeBytes > bodyLimitBytes) chunks = [];
    else chunks.push(chunk);
  }
  return sizeBytes > bodyLimitBytes ? undefined : Buffer.concat(chunks);
}

/** API Gateway drops an integration's own CORS headers where the API has a configuration. */
function withoutCors(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('access-control-')));
}

function send(response: ServerResponse, { status, headers, cookies, body }: ApiReply, headOnly: boolean): void {
  response.writeHead(status, {
    ...headers,
    ...(cookies.length > 0 ? { 'set-cookie': [...cookies] } : {}),
    ...(status === 204 || status === 304 ? {} : { 'content-length': String(body.length) }),
  });
  response.end(headOnly || status === 204 || status === 304 ? undefined : body);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
