import { AccessDenied } from '../service.ts';
import { bucketArn, type Call, type Deps, headerOf, type Reply } from './call.ts';
import { checkReadConditions } from './conditions.ts';
import { S3Error } from './errors.ts';
import { parseRange, wholeRange } from './range.ts';
import { checksumHeaders, objectHeaders } from './stored-headers.ts';

/** GetObject and HeadObject; the server leaves the body out for HEAD. @throws {S3Error} */
export function getObject(deps: Deps, call: Call): Reply {
  const object = deps.catalog.object(call.bucket.name, call.key);
  if (!object) throw noSuchKey(call);
  const headers = objectHeaders(object);
  if (checkReadConditions(call.headers, object) === 'not-modified') return { status: 304, headers };
  const partial = parseRange(headerOf(call.headers, 'range'), object.sizeBytes);
  const range = partial ?? wholeRange(object.sizeBytes);
  const wantsChecksum =
    (headerOf(call.headers, 'x-amz-checksum-mode') ?? call.query.get('x-amz-checksum-mode')) === 'ENABLED';
  return {
    status: partial ? 206 : 200,
    headers: {
      ...headers,
      'content-length': range.end - range.start + 1,
      ...(partial ? { 'content-range': `bytes ${range.start}-${range.end}/${object.sizeBytes}` } : {}),
      ...(wantsChecksum && !partial ? checksumHeaders(object.checksum) : {}),
    },
    stored: { segments: object.segments, range, release: deps.bodies.hold(object.segments) },
  };
}

/** Only who may list a bucket learns that a key is missing. */
function noSuchKey(call: Call): Error {
  try {
    call.authorize('s3:ListBucket', bucketArn(call.bucket.name));
  } catch (error) {
    if (error instanceof AccessDenied) return error;
    throw error;
  }
  return new S3Error('NoSuchKey', 'The specified key does not exist.', { Key: call.key });
}
