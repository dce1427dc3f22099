import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Guard, localAccount } from './service.ts';
import { formatTimestamp, parseTimestamp, readPresign, readSignature, SigV4Error } from './sigv4-claim.ts';
import { escapeUri, parseQuery, percentDecode, type QueryEntry } from './uri.ts';

export { SigV4Error } from './sigv4-claim.ts';

/** The part of a request that AWS Signature Version 4 covers. `url` is path and query exactly as received. */
export interface SignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Lowercase hex SHA-256 of the body that arrived. S3 leaves it out: its `x-amz-content-sha256` header stands for the body. */
  readonly bodySha256?: string;
}

/** Who signed, how, and which headers (lowercase) the signature covers. */
export interface VerifiedSignature {
  readonly accessKeyId: string;
  readonly presigned: boolean;
  readonly signedHeaders: readonly string[];
}

/** SigV4 signing service name (`s3`, `dynamodb`, ...) and the server's clock in epoch milliseconds. */
export interface VerifyOptions {
  readonly service: string;
  readonly nowMs: number;
}

const maxClockSkewMs = 15 * 60_000;

/**
 * Checks a header-signed or presigned request as AWS does: AWS Signature Version 4, "Create a signed AWS API request".
 * Written on node:crypto and not on `@smithy/signature-v4`, which signs the requests that arrive here: two hands, one result.
 * @throws {SigV4Error} if the signature is missing, malformed, expired, of an unknown key, or does not match
 */
export function verifySignature(request: SignedRequest, guard: Guard, options: VerifyOptions): VerifiedSignature {
  const queryStart = request.url.indexOf('?');
  const path = queryStart < 0 ? request.url : request.url.slice(0, queryStart);
  const query = decoded(() => parseQuery(queryStart < 0 ? '' : request.url.slice(queryStart + 1)));
  const presigned = query.some(([name]) => name === 'X-Amz-Signature' || name === 'X-Amz-Algorithm');
  const claim = presigned ? readPresign(query, request.headers) : readSignature(request.headers);

  const signedAtMs = parseTimestamp(claim.timestamp);
  if (signedAtMs === undefined || claim.timestamp.slice(0, 8) !== claim.scope.date) {
    throw malformed(presigned, `Date "${claim.timestamp}" is not ISO 8601 basic or differs from the credential's date`);
  }
  if (claim.scope.region !== localAccount.region || claim.scope.service !== options.service) {
    const { region, service } = claim.scope;
    const expected = `${localAccount.region}/${options.service}`;
    throw malformed(presigned, `Credential should be scoped to ${expected}, not ${region}/${service}`);
  }
  refuseUnsignedHeaders(claim.signedHeaders, request.headers);
  refuseWrongTime(signedAtMs, claim.expiresSeconds, options.nowMs);

  const secret = guard.secretOf(claim.accessKeyId);
  if (secret === undefined) {
    throw new SigV4Error(
      'InvalidAccessKeyId',
      `The AWS Access Key Id you provided does not exist: ${claim.accessKeyId}`,
    );
  }
  const canonicalRequest = [
    request.method,
    canonicalPath(path, options.service),
    canonicalQuery(query),
    ...claim.signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}`),
    '',
    claim.signedHeaders.join(';'),
    claim.payloadHash ?? request.bodySha256 ?? payloadHashHeader(request.headers),
  ].join('\n');
  const scope = `${claim.scope.date}/${claim.scope.region}/${claim.scope.service}/aws4_request`;
  const stringToSign = `AWS4-HMAC-SHA256\n${claim.timestamp}\n${scope}\n${sha256Hex(canonicalRequest)}`;
  const key = [claim.scope.date, claim.scope.region, claim.scope.service, 'aws4_request'].reduce<Buffer | string>(
    hmac,
    `AWS4${secret}`,
  );
  const expected = hmac(key, stringToSign);
  if (!timingSafeEqual(expected, Buffer.from(claim.signature, 'hex'))) {
    throw new SigV4Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      { canonicalRequest, stringToSign },
    );
  }
  return { accessKeyId: claim.accessKeyId, presigned, signedHeaders: claim.signedHeaders };
}

function refuseUnsignedHeaders(signedHeaders: readonly string[], headers: IncomingHttpHeaders): void {
  const signed = new Set(signedHeaders);
  const unsigned = Object.keys(headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.has(name),
  );
  if (unsigned.length > 0) {
    const names = unsigned.join(', ');
    throw new SigV4Error('AccessDenied', `There were headers present in the request which were not signed: ${names}`);
  }
}

function refuseWrongTime(signedAtMs: number, expiresSeconds: number | undefined, nowMs: number): void {
  if (expiresSeconds === undefined) {
    if (Math.abs(nowMs - signedAtMs) <= maxClockSkewMs) return;
    const times = `signed ${formatTimestamp(signedAtMs)}, now ${formatTimestamp(nowMs)}`;
    throw new SigV4Error(
      'RequestTimeTooSkewed',
      `The difference between the request time and the current time is too large: ${times}`,
    );
  }
  if (nowMs < signedAtMs - maxClockSkewMs) throw new SigV4Error('AccessDenied', 'Request is not valid yet');
  if (nowMs >= signedAtMs + expiresSeconds * 1000) throw new SigV4Error('AccessDenied', 'Request has expired');
}

/** S3 encodes the path once; every other service normalizes it and encodes what arrived a second time. */
function canonicalPath(path: string, service: string): string {
  if (service === 's3')
    return decoded(() => path.split('/').map((segment) => escapeUri(percentDecode(segment)))).join('/');
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(escapeUri(segment));
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

function canonicalQuery(query: readonly QueryEntry[]): string {
  return query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [escapeUri(name), escapeUri(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalValue(value: string | readonly string[] | undefined): string {
  return [value ?? []].flat().join(',').trim().replace(/\s+/g, ' ');
}

function payloadHashHeader(headers: IncomingHttpHeaders): string {
  const hash = headers['x-amz-content-sha256'];
  if (typeof hash === 'string') return hash;
  throw new SigV4Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw new SigV4Error('InvalidURI', "Couldn't parse the specified URI.", { cause });
  }
}

function malformed(presigned: boolean, message: string): SigV4Error {
  return new SigV4Error(presigned ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed', message);
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
