import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from './errors.ts';
import type { StoredObject } from './stored.ts';

/** What a write asks of the object it would replace. */
export type WriteCondition =
  | { readonly kind: 'none' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'etag'; readonly etag: string };

/** @throws {S3Error} NotImplemented for what S3 does not offer on writes: If-None-Match with an ETag, dates, both at once */
export function readWriteCondition(headers: IncomingHttpHeaders): WriteCondition {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  const hasDates = headers['if-modified-since'] !== undefined || headers['if-unmodified-since'] !== undefined;
  if (hasDates || (noneMatch !== undefined && (noneMatch !== '*' || match !== undefined))) {
    throw new S3Error('NotImplemented', 'A header you provided implies functionality that is not implemented', {
      Header: hasDates ? 'If-Modified-Since' : 'If-None-Match',
    });
  }
  if (noneMatch !== undefined) return { kind: 'absent' };
  return match === undefined ? { kind: 'none' } : { kind: 'etag', etag: unquoted(match) };
}

/** @throws {S3Error} PreconditionFailed, or NoSuchKey if If-Match finds no object */
export function checkWriteCondition(condition: WriteCondition, current: StoredObject | undefined): void {
  if (condition.kind === 'absent' && current) throw preconditionFailed('If-None-Match');
  if (condition.kind !== 'etag') return;
  if (!current) throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  if (condition.etag !== '*' && condition.etag !== current.etag) throw preconditionFailed('If-Match');
}

/** Decides a conditional read (RFC 9110, section 13.2.2). @throws {S3Error} PreconditionFailed */
export function checkReadConditions(headers: IncomingHttpHeaders, object: StoredObject): 'send' | 'not-modified' {
  const modifiedSeconds = Math.floor(object.modifiedMs / 1000);
  const match = headers['if-match'];
  const unmodifiedSince = seconds(headers['if-unmodified-since']);
  if (match !== undefined) {
    if (!listsEtag(match, object.etag)) throw preconditionFailed('If-Match');
  } else if (unmodifiedSince !== undefined && modifiedSeconds > unmodifiedSince) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) return listsEtag(noneMatch, object.etag) ? 'not-modified' : 'send';
  const modifiedSince = seconds(headers['if-modified-since']);
  return modifiedSince !== undefined && modifiedSeconds <= modifiedSince ? 'not-modified' : 'send';
}

/** An ETag without its quotes and without the weak mark. */
export function unquoted(etag: string): string {
  return etag.trim().replace(/^(W\/)?"(.*)"$/, '$2');
}

function listsEtag(header: string, etag: string): boolean {
  return header.split(',').some((item) => ['*', etag].includes(unquoted(item)));
}

function seconds(date: string | undefined): number | undefined {
  const epochMs = Date.parse(date ?? '');
  return Number.isNaN(epochMs) ? undefined : Math.floor(epochMs / 1000);
}

function preconditionFailed(header: string): S3Error {
  return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    Condition: header,
  });
}
