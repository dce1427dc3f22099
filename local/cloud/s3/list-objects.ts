import { escapeUri } from '../uri.ts';
import type { Call, Deps, Reply } from './call.ts';
import { S3Error } from './errors.ts';
import type { StoredObject } from './stored.ts';
import { toXml, type XmlValue } from './xml.ts';

const maxPageKeys = 1000;

interface Page {
  readonly contents: { key: string; object: StoredObject }[];
  readonly prefixes: string[];
  /** Where the next page starts, in key bytes; undefined if this is the last. */
  readonly next: Buffer | undefined;
}

/** ListObjectsV2. @throws {S3Error} InvalidArgument */
export function listObjects(deps: Deps, call: Call): Reply {
  const { query, bucket } = call;
  if (query.get('list-type') !== '2') throw new S3Error('InvalidArgument', 'list-type must be 2');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const limit = readCount(query, 'max-keys', maxPageKeys);
  const encode = keyEncoder(query);
  const from = token === undefined ? after(Buffer.from(startAfter ?? '')) : readToken(token);
  const page = readPage(deps, bucket.name, { prefix, delimiter, from, limit });
  return {
    status: 200,
    body: toXml('ListBucketResult', {
      Name: bucket.name,
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      MaxKeys: limit,
      KeyCount: page.contents.length + page.prefixes.length,
      IsTruncated: page.next !== undefined,
      EncodingType: query.get('encoding-type'),
      ContinuationToken: token,
      NextContinuationToken: page.next?.toString('base64url'),
      StartAfter: startAfter === undefined ? undefined : encode(startAfter),
      Contents: page.contents.map(({ key, object }) => contentsElement(encode(key), object)),
      CommonPrefixes: page.prefixes.map((common) => ({ Prefix: encode(common) })),
    }),
  };
}

/** A count from the query, at most `most`. @throws {S3Error} InvalidArgument */
export function readCount(query: ReadonlyMap<string, string>, name: string, most: number): number {
  const text = query.get(name) ?? String(most);
  if (!/^\d{1,10}$/.test(text)) throw new S3Error('InvalidArgument', `${name} must be an integer >= 0, not "${text}"`);
  return Math.min(Number(text), most);
}

/** How keys are written in an answer: as they are, or percent-encoded on demand. @throws {S3Error} InvalidArgument */
export function keyEncoder(query: ReadonlyMap<string, string>): (key: string) => string {
  const encoding = query.get('encoding-type');
  if (encoding === undefined) return (key) => key;
  if (encoding !== 'url') throw new S3Error('InvalidArgument', `encoding-type must be url, not "${encoding}"`);
  return (key) => escapeUri(key).replaceAll('%2F', '/');
}

interface PageRequest {
  readonly prefix: string;
  readonly delimiter: string;
  readonly from: Buffer;
  readonly limit: number;
}

function readPage(deps: Deps, bucket: string, { prefix, delimiter, from, limit }: PageRequest): Page {
  const contents: Page['contents'] = [];
  const prefixes: string[] = [];
  const end = past(Buffer.from(prefix));
  let at = Buffer.compare(from, Buffer.from(prefix)) < 0 ? Buffer.from(prefix) : from;
  // S3 calls a page of no keys complete.
  if (limit === 0) return { contents, prefixes, next: undefined };
  const batchRows = limit + 1;
  for (;;) {
    const rows = deps.catalog.range(bucket, at, end, batchRows);
    for (const row of rows) {
      const rowBytes = Buffer.from(row.key);
      if (Buffer.compare(rowBytes, at) < 0) continue;
      if (contents.length + prefixes.length === limit) return { contents, prefixes, next: at };
      const cut = delimiter === '' ? -1 : row.key.indexOf(delimiter, prefix.length);
      if (cut < 0) {
        contents.push(row);
        at = after(rowBytes);
        continue;
      }
      const common = row.key.slice(0, cut + delimiter.length);
      prefixes.push(common);
      const next = past(Buffer.from(common));
      if (!next) return { contents, prefixes, next: undefined };
      at = next;
    }
    if (rows.length < batchRows) return { contents, prefixes, next: undefined };
  }
}

function contentsElement(key: string, object: StoredObject): XmlValue {
  return {
    Key: key,
    LastModified: new Date(object.modifiedMs).toISOString(),
    ETag: `"${object.etag}"`,
    ChecksumAlgorithm: object.checksum?.algorithm.toUpperCase(),
    Size: object.sizeBytes,
    StorageClass: 'STANDARD',
  };
}

function readToken(token: string): Buffer {
  const from = Buffer.from(token, 'base64url');
  if (from.length === 0 || from.toString('base64url') !== token) {
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  }
  return from;
}

/** The smallest byte string greater than `key`. */
function after(key: Buffer): Buffer {
  return key.length === 0 ? key : Buffer.concat([key, Buffer.from([0])]);
}

/** The smallest byte string greater than all that start with `prefix`; undefined if there is none. */
function past(prefix: Buffer): Buffer | undefined {
  const last = prefix.findLastIndex((byte) => byte !== 0xff);
  if (last < 0) return undefined;
  const next = Buffer.from(prefix.subarray(0, last + 1));
  next[last] += 1;
  return next;
}
