import type { IncomingHttpHeaders } from 'node:http';
import { headerOf } from './call.ts';
import type { Checksum } from './checksum.ts';
import { S3Error } from './errors.ts';
import type { StoredObject } from './stored.ts';

const kept = ['content-type', 'cache-control', 'content-disposition', 'content-language', 'expires'];
const metadataPrefix = 'x-amz-meta-';
const maxMetadataBytes = 2048;

/** The request headers that S3 keeps with an object and answers on GET. @throws {S3Error} MetadataTooLarge */
export function readStoredHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const stored: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  let metadataBytes = 0;
  for (const name of Object.keys(headers)) {
    const value = headerOf(headers, name) ?? '';
    if (kept.includes(name)) stored[name] = value;
    if (!name.startsWith(metadataPrefix)) continue;
    stored[name] = value;
    metadataBytes += name.length - metadataPrefix.length + value.length;
  }
  if (metadataBytes > maxMetadataBytes) {
    throw new S3Error('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', {
      Size: String(metadataBytes),
      MaxSizeAllowed: String(maxMetadataBytes),
    });
  }
  const encodings = (headers['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim());
  const encoding = encodings.filter((name) => name !== '' && name !== 'aws-chunked').join(',');
  if (encoding !== '') stored['content-encoding'] = encoding;
  return stored;
}

/** What GET and HEAD say of an object, less the length and the range. */
export function objectHeaders(object: StoredObject): Record<string, string> {
  return {
    ...object.headers,
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.modifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
    'x-amz-server-side-encryption': 'AES256',
  };
}

/** `x-amz-checksum-*` of a whole object or part. */
export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  return checksum
    ? { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value, 'x-amz-checksum-type': typeOf(checksum) }
    : {};
}

/** `ChecksumSHA256` and the like in XML. */
export function checksumElement(checksum: Checksum | undefined): Record<string, string> {
  return checksum ? { [`Checksum${checksum.algorithm.toUpperCase()}`]: checksum.value } : {};
}

export function typeOf(checksum: Checksum): 'COMPOSITE' | 'FULL_OBJECT' {
  return checksum.value.includes('-') ? 'COMPOSITE' : 'FULL_OBJECT';
}
