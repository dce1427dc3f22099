import { parseQuery, percentDecode } from '../uri.ts';
import { S3Error } from './errors.ts';

/** What a path-style URL names; `bucket` and `key` are '' where it names none. */
export interface Target {
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
}

const maxKeyBytes = 1024;

/** Reads `/bucket/key?query` as received. @throws {S3Error} InvalidURI, InvalidArgument, KeyTooLongError */
export function parseTarget(url: string): Target {
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  if (!path.startsWith('/')) throw new S3Error('InvalidURI', "Couldn't parse the specified URI.");
  const slash = path.indexOf('/', 1);
  const query = new Map<string, string>();
  try {
    for (const [name, value] of at < 0 ? [] : parseQuery(url.slice(at + 1))) {
      if (query.has(name)) throw new S3Error('InvalidArgument', `The query parameter ${name} is given twice`);
      query.set(name, value);
    }
    const bucket = percentDecode(path.slice(1, slash < 0 ? undefined : slash));
    const key = slash < 0 ? '' : percentDecode(path.slice(slash + 1));
    if (Buffer.byteLength(key) > maxKeyBytes) {
      throw new S3Error('KeyTooLongError', 'Your key is too long', {
        Size: String(Buffer.byteLength(key)),
        MaxSizeAllowed: String(maxKeyBytes),
      });
    }
    return { bucket, key, query };
  } catch (error) {
    if (error instanceof URIError) throw new S3Error('InvalidURI', "Couldn't parse the specified URI.", {}, error);
    throw error;
  }
}
