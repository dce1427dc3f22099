import type { IncomingHttpHeaders } from 'node:http';
import { localAccount } from '../service.ts';
import { S3Error } from './errors.ts';

interface OperationSpec {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly on: 'service' | 'bucket' | 'object';
  /** Query parameters that make it this operation. */
  readonly requires?: readonly string[];
  /** Query parameters that it understands besides. */
  readonly accepts?: readonly string[];
  /** `x-amz-*` headers that it understands besides `commonHeaders`; a trailing `*` stands for any rest. */
  readonly headers?: readonly string[];
  readonly action: string;
  /** Price class; deletions are free. */
  readonly billedAs?: 's3.putRequests' | 's3.getRequests';
}

const bodyHeaders = [
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-trailer',
  'x-amz-decoded-content-length',
];
const storageHeaders = ['x-amz-meta-*', 'x-amz-storage-class', 'x-amz-server-side-encryption'];

const specs = {
  ListBuckets: { method: 'GET', on: 'service', action: 's3:ListAllMyBuckets', billedAs: 's3.putRequests' },
  HeadBucket: { method: 'HEAD', on: 'bucket', action: 's3:ListBucket', billedAs: 's3.getRequests' },
  ListObjectsV2: {
    method: 'GET',
    on: 'bucket',
    requires: ['list-type'],
    accepts: ['prefix', 'delimiter', 'max-keys', 'continuation-token', 'start-after', 'encoding-type'],
    action: 's3:ListBucket',
    billedAs: 's3.putRequests',
  },
  ListMultipartUploads: {
    method: 'GET',
    on: 'bucket',
    requires: ['uploads'],
    accepts: ['prefix', 'max-uploads', 'key-marker', 'upload-id-marker', 'encoding-type'],
    action: 's3:ListBucketMultipartUploads',
    billedAs: 's3.putRequests',
  },
  DeleteObjects: {
    method: 'POST',
    on: 'bucket',
    requires: ['delete'],
    headers: bodyHeaders,
    action: 's3:DeleteObject',
  },
  GetObject: {
    method: 'GET',
    on: 'object',
    accepts: ['x-amz-checksum-mode'],
    headers: ['x-amz-checksum-mode'],
    action: 's3:GetObject',
    billedAs: 's3.getRequests',
  },
  HeadObject: {
    method: 'HEAD',
    on: 'object',
    accepts: ['x-amz-checksum-mode'],
    headers: ['x-amz-checksum-mode'],
    action: 's3:GetObject',
    billedAs: 's3.getRequests',
  },
  PutObject: {
    method: 'PUT',
    on: 'object',
    headers: [...bodyHeaders, ...storageHeaders],
    action: 's3:PutObject',
    billedAs: 's3.putRequests',
  },
  DeleteObject: { method: 'DELETE', on: 'object', action: 's3:DeleteObject' },
  CreateMultipartUpload: {
    method: 'POST',
    on: 'object',
    requires: ['uploads'],
    headers: [...storageHeaders, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
    action: 's3:PutObject',
    billedAs: 's3.putRequests',
  },
  UploadPart: {
    method: 'PUT',
    on: 'object',
    requires: ['partNumber', 'uploadId'],
    headers: bodyHeaders,
    action: 's3:PutObject',
    billedAs: 's3.putRequests',
  },
  CompleteMultipartUpload: {
    method: 'POST',
    on: 'object',
    requires: ['uploadId'],
    headers: ['x-amz-checksum-type', 'x-amz-mp-object-size'],
    action: 's3:PutObject',
    billedAs: 's3.putRequests',
  },
  AbortMultipartUpload: { method: 'DELETE', on: 'object', requires: ['uploadId'], action: 's3:AbortMultipartUpload' },
  ListParts: {
    method: 'GET',
    on: 'object',
    requires: ['uploadId'],
    accepts: ['max-parts', 'part-number-marker'],
    action: 's3:ListMultipartUploadParts',
    billedAs: 's3.putRequests',
  },
} as const satisfies Record<string, OperationSpec>;

export type OperationName = keyof typeof specs;
/** A recognised S3 operation with its IAM action and price class. */
export type Operation = OperationSpec & { readonly name: OperationName };

/** The part of a request that decides which operation it asks for. */
export interface OperationRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
}

const operations: readonly Operation[] = Object.entries<OperationSpec>(specs)
  .filter((entry): entry is [OperationName, OperationSpec] => entry[0] in specs)
  .map(([name, spec]) => ({ name, ...spec }))
  // The most specific first, so that ?uploadId is not taken for a plain object.
  .sort((a, b) => (b.requires?.length ?? 0) - (a.requires?.length ?? 0));

const commonHeaders = ['date', 'content-sha256', 'security-token', 'user-agent', 'expected-bucket-owner'].map(
  (name) => `x-amz-${name}`,
);
const presignParameters = [
  'X-Amz-Algorithm',
  'X-Amz-Content-Sha256',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
];
const commonParameters = new Set(['x-id', 'x-amz-user-agent', ...presignParameters]);
const onlyValues: Readonly<Record<string, string>> = {
  'x-amz-storage-class': 'STANDARD',
  'x-amz-server-side-encryption': 'AES256',
};

/**
 * Names the operation that a request asks for.
 * @throws {S3Error} NotImplemented for anything this gateway would otherwise ignore: S3 has more than it does
 */
export function recognise(request: OperationRequest): Operation {
  const { method, query, headers } = request;
  const on = request.bucket === '' ? 'service' : request.key === '' ? 'bucket' : 'object';
  const described = `${method} ${on}${[...query.keys()]
    .filter((name) => !commonParameters.has(name))
    .map((name) => ` ?${name}`)
    .join('')}`;
  const found = operations.find(
    (spec) => spec.method === method && spec.on === on && (spec.requires ?? []).every((name) => query.has(name)),
  );
  if (!found) throw new S3Error('NotImplemented', `The local S3 does not implement ${described}`);
  const known = new Set([...commonParameters, ...(found.requires ?? []), ...(found.accepts ?? [])]);
  for (const name of query.keys()) {
    if (known.has(name) || (!takesBody(found) && isEmptyBodyChecksum(name))) continue;
    const hint = name.startsWith('x-amz-checksum-')
      ? ': S3 ignores a checksum in the query; sign it as a header (unhoistableHeaders)'
      : '';
    throw new S3Error('NotImplemented', `The local S3 does not implement ?${name} of ${found.name}${hint}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-amz-')) refuseUnknownHeader(found, name, String(value));
  }
  return found;
}

function takesBody({ method }: Operation): boolean {
  return method === 'PUT' || method === 'POST';
}

/** The SDK's presigner puts the checksum of no body into the query of a GET: S3 ignores it, and nothing is lost. */
function isEmptyBodyChecksum(name: string): boolean {
  return name === 'x-amz-sdk-checksum-algorithm' || name.startsWith('x-amz-checksum-');
}

function refuseUnknownHeader(operation: Operation, name: string, value: string): void {
  const accepted = [...commonHeaders, ...(operation.headers ?? [])].some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
  const only = onlyValues[name];
  if (!accepted || (only !== undefined && value !== only)) {
    throw new S3Error('NotImplemented', `The local S3 does not implement ${name}: ${value} of ${operation.name}`);
  }
  if (name === 'x-amz-expected-bucket-owner' && value !== localAccount.accountId) {
    throw new S3Error('AccessDenied', `The bucket belongs to ${localAccount.accountId}, not to ${value}`);
  }
}
