import { openBody } from './body.ts';
import type { Call, Deps, Reply } from './call.ts';
import { readWriteCondition } from './conditions.ts';
import { publish } from './publish.ts';
import { checksumHeaders, readStoredHeaders } from './stored-headers.ts';

const maxObjectBytes = 5 * 1024 ** 3;

/** PutObject. @throws {S3Error} */
export async function putObject(deps: Deps, call: Call): Promise<Reply> {
  const condition = readWriteCondition(call.headers);
  const headers = readStoredHeaders(call.headers);
  const pending = deps.catalog.beginWrite(call.bucket.name, call.key);
  try {
    const body = openBody(call, maxObjectBytes);
    const segment = await deps.bodies.receive(body);
    const { md5Hex, sizeBytes, checksum } = body.facts();
    deps.meter.count('s3.bytesIn', sizeBytes);
    const object = { etag: md5Hex, sizeBytes, modifiedMs: deps.now(), segments: [segment], headers, checksum };
    try {
      publish(deps, call, { object, condition, pending, by: 'Put' });
    } catch (error) {
      deps.bodies.discard([segment]);
      throw error;
    }
    return {
      status: 200,
      headers: { etag: `"${md5Hex}"`, 'x-amz-server-side-encryption': 'AES256', ...checksumHeaders(checksum) },
    };
  } finally {
    pending.end();
  }
}
