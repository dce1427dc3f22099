import type { IncomingHttpHeaders } from 'node:http';
import type { QueryEntry } from './uri.ts';

/** AWS error codes of a refused signature, with the HTTP status that S3 gives them and the name that JSON services use. */
const refusals = {
  MissingAuthenticationToken: { status: 403, jsonCode: 'MissingAuthenticationTokenException' },
  InvalidAccessKeyId: { status: 403, jsonCode: 'UnrecognizedClientException' },
  SignatureDoesNotMatch: { status: 403, jsonCode: 'InvalidSignatureException' },
  RequestTimeTooSkewed: { status: 403, jsonCode: 'InvalidSignatureException' },
  AccessDenied: { status: 403, jsonCode: 'AccessDeniedException' },
  AuthorizationHeaderMalformed: { status: 400, jsonCode: 'IncompleteSignatureException' },
  AuthorizationQueryParametersError: { status: 400, jsonCode: 'IncompleteSignatureException' },
  InvalidArgument: { status: 400, jsonCode: 'IncompleteSignatureException' },
  InvalidRequest: { status: 400, jsonCode: 'IncompleteSignatureException' },
  InvalidURI: { status: 400, jsonCode: 'IncompleteSignatureException' },
} as const;

export type SigV4ErrorCode = keyof typeof refusals;

/** A signature that does not stand. `code` and `status` are S3's; DynamoDB, SQS and Step Functions answer 400 with `jsonCode`. */
export class SigV4Error extends Error {
  override readonly name = 'SigV4Error';
  readonly code: SigV4ErrorCode;
  readonly status: number;
  readonly jsonCode: string;
  readonly canonicalRequest: string | undefined;
  readonly stringToSign: string | undefined;

  constructor(
    code: SigV4ErrorCode,
    message: string,
    details: { readonly canonicalRequest?: string; readonly stringToSign?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = refusals[code].status;
    this.jsonCode = refusals[code].jsonCode;
    this.canonicalRequest = details.canonicalRequest;
    this.stringToSign = details.stringToSign;
  }
}

/** What a request says about its own signature; nothing of it is proven yet. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  readonly scope: { readonly date: string; readonly region: string; readonly service: string };
  readonly signedHeaders: readonly string[];
  /** 64 hex digits. */
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`, not yet checked. */
  readonly timestamp: string;
  /** Only presigned requests expire. */
  readonly expiresSeconds?: number;
  /** Only where the claim fixes it: presigned requests do not cover the body unless they say so. */
  readonly payloadHash?: string;
}

const maxExpiresSeconds = 7 * 24 * 3600;
const signaturePattern = /^[0-9a-f]{64}$/;

/** Reads the Authorization header. @throws {SigV4Error} if it is missing or malformed */
export function readSignature(headers: IncomingHttpHeaders): SignatureClaim {
  const { authorization } = headers;
  if (authorization === undefined) {
    throw new SigV4Error('MissingAuthenticationToken', 'Request is missing Authentication Token');
  }
  const refuse = (why: string) => new SigV4Error('AuthorizationHeaderMalformed', `Authorization header: ${why}`);
  const [algorithm, rest] = splitOnce(authorization, ' ');
  if (algorithm !== 'AWS4-HMAC-SHA256') throw refuse(`the algorithm must be AWS4-HMAC-SHA256, not "${algorithm}"`);
  const fields = new Map(rest.split(',').map((field) => splitOnce(field.trim(), '=')));
  const timestamp = headers['x-amz-date'];
  if (typeof timestamp !== 'string') {
    throw new SigV4Error('AccessDenied', 'AWS authentication requires a valid x-amz-date header');
  }
  return {
    ...readCredential(fields.get('Credential'), refuse),
    signedHeaders: readSignedHeaders(fields.get('SignedHeaders'), refuse),
    signature: readHexSignature(fields.get('Signature'), refuse),
    timestamp,
  };
}

/** Reads the X-Amz-* query parameters of a presigned URL. @throws {SigV4Error} if one is missing, doubled or malformed */
export function readPresign(query: readonly QueryEntry[], headers: IncomingHttpHeaders): SignatureClaim {
  if (headers.authorization !== undefined) {
    throw new SigV4Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; the X-Amz-Algorithm query parameter and the Authorization header were both present',
    );
  }
  const refuse = (why: string) =>
    new SigV4Error('AuthorizationQueryParametersError', `Query-string authentication: ${why}`);
  const only = (name: string): string | undefined => {
    const values = query.filter(([given]) => given === name);
    if (values.length > 1) throw refuse(`${name} is given ${values.length} times`);
    return values[0]?.[1];
  };
  if (only('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') throw refuse('X-Amz-Algorithm must be AWS4-HMAC-SHA256');
  const expires = only('X-Amz-Expires') ?? '';
  const expiresSeconds = Number(expires);
  if (!/^\d{1,7}$/.test(expires) || expiresSeconds < 1 || expiresSeconds > maxExpiresSeconds) {
    throw refuse(`X-Amz-Expires must be an integer from 1 to ${maxExpiresSeconds} seconds, not "${expires}"`);
  }
  const signedHeaders = readSignedHeaders(only('X-Amz-SignedHeaders'), refuse);
  const hashHeader = headers['x-amz-content-sha256'];
  return {
    ...readCredential(only('X-Amz-Credential'), refuse),
    signedHeaders,
    signature: readHexSignature(only('X-Amz-Signature'), refuse),
    timestamp: only('X-Amz-Date') ?? '',
    expiresSeconds,
    payloadHash: only('X-Amz-Content-Sha256') ?? (typeof hashHeader === 'string' ? hashHeader : 'UNSIGNED-PAYLOAD'),
  };
}

/** Epoch milliseconds of `YYYYMMDDTHHMMSSZ`, or undefined. */
export function parseTimestamp(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  const epochMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return formatTimestamp(epochMs) === text ? epochMs : undefined;
}

/** `YYYYMMDDTHHMMSSZ` of epoch milliseconds. */
export function formatTimestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

type Refuse = (why: string) => SigV4Error;

function readCredential(text: string | undefined, refuse: Refuse): Pick<SignatureClaim, 'accessKeyId' | 'scope'> {
  const parts = (text ?? '').split('/');
  const [accessKeyId, date, region, service, terminator] = parts;
  if (parts.length !== 5 || accessKeyId === '' || terminator !== 'aws4_request') {
    throw refuse(`the credential must be KEY/YYYYMMDD/REGION/SERVICE/aws4_request, not "${text ?? ''}"`);
  }
  return { accessKeyId, scope: { date, region, service } };
}

function readSignedHeaders(text: string | undefined, refuse: Refuse): readonly string[] {
  const names = (text ?? '').split(';');
  const ordered = names.every((name, i) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && (i === 0 || names[i - 1] < name));
  if (!ordered) throw refuse(`SignedHeaders must be lowercase names in order, not "${text ?? ''}"`);
  if (!names.includes('host')) throw refuse('the host header must be signed');
  return names;
}

function readHexSignature(text: string | undefined, refuse: Refuse): string {
  if (text === undefined || !signaturePattern.test(text)) throw refuse('the signature must be 64 hex digits');
  return text;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
