import type { IncomingHttpHeaders } from 'node:http';
import { localAccount } from '../service.ts';
import type { Json } from '../template/assembly.ts';
import { decode, type RouteMatch } from './route.ts';

/** A request that found its route. */
export interface ApiRequest {
  readonly apiId: string;
  readonly stage: string;
  readonly requestId: string;
  readonly method: string;
  /** Path with the stage, as received; query without `?`. */
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly timeMs: number;
  readonly match: RouteMatch;
}

/** Who asks, where the route wants to know: who signed, or what the authorizer said. */
export type Caller =
  | { readonly kind: 'iam'; readonly accessKeyId: string; readonly userArn: string }
  | { readonly kind: 'lambda'; readonly context: Json };

/** The event of payload format 2.0. "Create AWS Lambda proxy integrations for HTTP APIs", API Gateway developer guide. */
export function apiEvent(request: ApiRequest, caller?: Caller): Json {
  const { requestContext, ...described } = describe(request);
  const event: Record<string, Json> = {
    version: '2.0',
    ...described,
    requestContext: caller ? { ...requestContext, authorizer: authorizerOf(caller) } : requestContext,
    isBase64Encoded: false,
  };
  if (request.body.length > 0) {
    const text = isText(request.headers['content-type']);
    event.body = request.body.toString(text ? 'utf8' : 'base64');
    event.isBase64Encoded = !text;
  }
  return event;
}

/** The event of an authorizer, format 2.0: the request without its body. "Lambda authorizers for HTTP APIs", the same guide. */
export function authorizerEvent(request: ApiRequest, routeArn: string, identitySource: readonly string[]): Json {
  return { version: '2.0', type: 'REQUEST', routeArn, identitySource: [...identitySource], ...describe(request) };
}

/** What both events say of a request. */
function describe(request: ApiRequest): Record<string, Json> & { requestContext: Record<string, Json> } {
  const { match } = request;
  const { cookie, ...others } = request.headers;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(others)) if (value !== undefined) headers[name] = [value].flat().join(',');
  const host = headers.host ?? '';
  headers['x-forwarded-for'] ??= request.sourceIp;
  headers['x-forwarded-port'] ??= host.split(':')[1] ?? '80';
  headers['x-forwarded-proto'] ??= 'http';
  const queryStringParameters = parametersOf(request.query);
  const described = {
    routeKey: match.route.routeKey,
    rawPath: request.path,
    rawQueryString: request.query,
    headers,
    requestContext: {
      accountId: localAccount.accountId,
      apiId: request.apiId,
      domainName: host,
      domainPrefix: request.apiId,
      http: {
        method: request.method,
        path: request.path,
        protocol: 'HTTP/1.1',
        sourceIp: request.sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: request.requestId,
      routeKey: match.route.routeKey,
      stage: request.stage,
      time: commonLogTime(request.timeMs),
      timeEpoch: request.timeMs,
    },
    ...(cookie !== undefined && { cookies: cookie.split(/; */) }),
    ...(queryStringParameters && { queryStringParameters }),
    ...(match.pathParameters && { pathParameters: match.pathParameters }),
  };
  return described;
}

function authorizerOf(caller: Caller): Json {
  if (caller.kind === 'lambda') return { lambda: caller.context };
  const { accessKeyId, userArn } = caller;
  const userId = userArn.split('/').at(-1) ?? userArn;
  const iam = {
    accessKey: accessKeyId,
    accountId: localAccount.accountId,
    callerId: userId,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn,
    userId,
  };
  return { iam };
}

/** Bodies that API Gateway passes as text; every other comes in base64. */
function isText(contentType: string | undefined): boolean {
  if (contentType === undefined) return true;
  const type = contentType.split(';')[0].trim().toLowerCase();
  return /^(text\/.*|application\/(json|javascript|xml|.*\+json|.*\+xml))$/.test(type);
}

/** Values of a repeated name are joined by commas. */
function parametersOf(query: string): Record<string, string> | undefined {
  if (query === '') return undefined;
  const values = new Map<string, string[]>();
  for (const part of query.split('&')) {
    if (part === '') continue;
    const [name, ...rest] = part.split('=').map((text) => text.replaceAll('+', ' '));
    const key = decode(name);
    values.set(key, [...(values.get(key) ?? []), decode(rest.join('='))]);
  }
  return Object.fromEntries([...values].map(([name, list]) => [name, list.join(',')]));
}

/** `12/Mar/2020:19:03:58 +0000`. */
function commonLogTime(timeMs: number): string {
  const [, weekday, day, month, year, time] =
    /^(\w+), (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(timeMs).toUTCString()) ?? [];
  return weekday === undefined ? '' : `${day}/${month}/${year}:${time} +0000`;
}
