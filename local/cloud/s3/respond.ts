import type { IncomingMessage, ServerResponse } from 'node:http';
import { AccessDenied, type Meter } from '../service.ts';
import { SigV4Error } from '../sigv4.ts';
import type { Bodies } from './bodies.ts';
import type { Reply } from './call.ts';
import { S3Error } from './errors.ts';
import { errorXml } from './xml.ts';

/** An error as S3 tells it; anything unknown is an InternalError. `resource` is the path of the request. */
export function errorReply(error: unknown, resource: string, requestId: string): Reply {
  const { status, code, message, details } = describe(error);
  const body = errorXml({
    Code: code,
    Message: message,
    ...details,
    Resource: resource,
    RequestId: requestId,
    HostId: 'local',
  });
  return { status, headers: status === 416 ? { 'content-range': `bytes */${details.ActualObjectSize}` } : {}, body };
}

/** Sends an answer; a HEAD request gets its headers alone. Rejects if the connection breaks. */
export async function send(
  reply: Reply,
  message: IncomingMessage,
  response: ServerResponse,
  { bodies, meter }: { readonly bodies: Bodies; readonly meter: Meter },
): Promise<void> {
  const { status, headers = {}, body, stored } = reply;
  try {
    const isBare = message.method === 'HEAD' || status === 204 || status === 304;
    const bodyHeaders =
      body === undefined || isBare
        ? {}
        : { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) };
    const noBody = body === undefined && stored === undefined && status !== 204 && status !== 304;
    response.writeHead(status, { ...(noBody ? { 'content-length': 0 } : {}), ...bodyHeaders, ...headers });
    if (isBare || stored === undefined) {
      response.end(isBare ? undefined : body);
      return;
    }
    await bodies.send(stored.segments, stored.range, response);
    meter.count('s3.bytesOut', stored.range.end - stored.range.start + 1);
  } finally {
    stored?.release();
  }
}

interface Description {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
}

function describe(error: unknown): Description {
  if (error instanceof S3Error) return error;
  if (error instanceof AccessDenied) return { status: 403, code: 'AccessDenied', message: error.message, details: {} };
  if (error instanceof SigV4Error) {
    // S3 has no name of its own for a request that nobody signed.
    if (error.code === 'MissingAuthenticationToken') {
      return { status: 403, code: 'AccessDenied', message: 'Access Denied', details: {} };
    }
    const { status, code, message, canonicalRequest, stringToSign } = error;
    const details = {
      ...(stringToSign && canonicalRequest ? { StringToSign: stringToSign, CanonicalRequest: canonicalRequest } : {}),
    };
    return { status, code, message, details };
  }
  const message = 'We encountered an internal error. Please try again.';
  return { status: 500, code: 'InternalError', message, details: {} };
}
