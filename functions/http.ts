import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { z } from 'zod';
import { FlError } from '../shared/core/errors.ts';
import type { Address } from '../shared/orchestrator/address.ts';
import { parseAs } from '../shared/wire/parse-as.ts';
import { problemOf } from '../shared/wire/problem.ts';
import { parseStrictJson } from '../shared/wire/strict-json.ts';
import { logger } from './logger.ts';

/** A request, its body read as JSON (undefined where there is none) and not yet checked. */
export interface ApiRequest {
  readonly routeKey: string;
  readonly address: Address;
  /** Value of the header, `''` where there is none. */
  readonly authorization: string;
  readonly path: Readonly<Record<string, string | undefined>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  /** The body as it was sent. */
  readonly bytes: Uint8Array;
}

export interface ApiReply {
  readonly status: number;
  readonly body: unknown;
}

/** An event of any route: what an authorizer says is not checked here. */
export type ApiEvent = Omit<APIGatewayProxyEventV2, 'requestContext'> & {
  readonly requestContext: APIGatewayProxyEventV2['requestContext'] & { readonly authorizer?: unknown };
};

/** A function behind the HTTP API: errors become problem documents (RFC 9457). */
export function api(answer: (request: ApiRequest, event: ApiEvent) => Promise<ApiReply>) {
  return async (event: ApiEvent, context: Context): Promise<APIGatewayProxyStructuredResultV2> => {
    try {
      const { status, body } = await answer(read(event), event);
      return json(status, 'application/json', body);
    } catch (error) {
      const problem = problemOf(error);
      if (problem.status >= 500) logger.error('request failed', { requestId: context.awsRequestId, error });
      const { retryAfterMs } = problem;
      const headers =
        retryAfterMs === undefined ? undefined : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
      return json(problem.status, 'application/problem+json', problem, headers);
    }
  };
}

/** @throws {FlError} `request-malformed` naming the field and what was expected of it */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  return parseAs(schema, value, 'request-malformed', 'body');
}

function read(event: ApiEvent): ApiRequest {
  const { http, domainName } = event.requestContext;
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  return {
    routeKey: event.routeKey,
    address: { method: http.method, host: domainName, path: event.rawPath },
    authorization: event.headers.authorization ?? '',
    path: event.pathParameters ?? {},
    query: event.queryStringParameters ?? {},
    body: readJson(bytes),
    bytes,
  };
}

function readJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return parseStrictJson(bytes);
  } catch (cause) {
    throw new FlError('request-malformed', 'the body is not JSON with every name once', { cause });
  }
}

function json(statusCode: number, type: string, body: unknown, headers: Record<string, string> = {}) {
  return {
    statusCode,
    headers: { 'content-type': type, 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}
