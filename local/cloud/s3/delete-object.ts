import { AccessDenied } from '../service.ts';
import { readText } from './body.ts';
import { type Call, type Deps, objectArn, type Reply } from './call.ts';
import { readWriteCondition, unquoted, type WriteCondition } from './conditions.ts';
import { S3Error } from './errors.ts';
import { parseItems, toXml, type XmlValue } from './xml.ts';

const maxKeys = 1000;
const maxDocumentBytes = 2 * 1024 ** 2;
const understood = new Set(['Key', 'ETag', '#text']);

/** DeleteObject: a missing key is a success, unless If-Match asks for it. @throws {S3Error} */
export function deleteObject(deps: Deps, call: Call): Reply {
  const condition = readWriteCondition(call.headers);
  if (condition.kind === 'absent') throw new S3Error('NotImplemented', 'DeleteObject has no If-None-Match');
  remove(deps, call, call.key, condition);
  return { status: 204 };
}

/** DeleteObjects: each key for itself. @throws {S3Error} */
export async function deleteObjects(deps: Deps, call: Call): Promise<Reply> {
  const { items, flags } = parseItems(await readText(call, maxDocumentBytes), 'Delete', 'Object');
  if (items.length === 0 || items.length > maxKeys) {
    throw new S3Error('MalformedXML', `DeleteObjects takes 1 to ${maxKeys} keys, not ${items.length}`);
  }
  const deleted: XmlValue[] = [];
  const errors: XmlValue[] = [];
  for (const item of items) {
    const key = item.get('Key') ?? '';
    const unknown = [...item.keys()].find((name) => !understood.has(name));
    if (unknown) throw new S3Error('NotImplemented', `The local S3 does not implement ${unknown} of DeleteObjects`);
    if (key === '') throw new S3Error('MalformedXML', 'DeleteObjects: an Object has no Key');
    const etag = item.get('ETag');
    try {
      call.authorize('s3:DeleteObject', objectArn(call.bucket.name, key));
      remove(deps, call, key, etag === undefined ? { kind: 'none' } : { kind: 'etag', etag: unquoted(etag) });
      deleted.push({ Key: key });
    } catch (error) {
      if (error instanceof AccessDenied) errors.push({ Key: key, Code: 'AccessDenied', Message: error.message });
      else if (error instanceof S3Error) errors.push({ Key: key, Code: error.code, Message: error.message });
      else throw error;
    }
  }
  const isQuiet = flags.get('Quiet') === 'true';
  return { status: 200, body: toXml('DeleteResult', { Deleted: isQuiet ? undefined : deleted, Error: errors }) };
}

function remove(deps: Deps, call: Call, key: string, condition: WriteCondition): void {
  const removed = deps.catalog.remove(call.bucket.name, key, condition);
  if (removed) deps.bodies.discard(removed.segments);
}
