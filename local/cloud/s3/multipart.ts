import { createHash, randomBytes } from 'node:crypto';
import { openBody, readText } from './body.ts';
import { type Call, type Deps, headerOf, type Reply } from './call.ts';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  compositeChecksum,
  parseChecksumAlgorithm,
} from './checksum.ts';
import { readWriteCondition, unquoted } from './conditions.ts';
import { S3Error } from './errors.ts';
import { publish } from './publish.ts';
import type { StoredPart, StoredUpload } from './stored.ts';
import { checksumElement, checksumHeaders, readStoredHeaders } from './stored-headers.ts';
import { parseItems, toXml } from './xml.ts';

const maxPartBytes = 5 * 1024 ** 3;
const minPartBytes = 5 * 1024 ** 2;
const maxParts = 10_000;
const maxDocumentBytes = 8 * 1024 ** 2;

export function createMultipartUpload(deps: Deps, call: Call): Reply {
  const upload: StoredUpload = {
    id: randomBytes(32).toString('base64url'),
    bucket: call.bucket.name,
    key: call.key,
    startedMs: deps.now(),
    headers: readStoredHeaders(call.headers),
    checksumAlgorithm: readAlgorithm(call),
  };
  deps.catalog.startUpload(upload);
  const { checksumAlgorithm } = upload;
  return {
    status: 200,
    headers: checksumAlgorithm
      ? { 'x-amz-checksum-algorithm': checksumAlgorithm.toUpperCase(), 'x-amz-checksum-type': 'COMPOSITE' }
      : {},
    body: toXml('InitiateMultipartUploadResult', { Bucket: upload.bucket, Key: upload.key, UploadId: upload.id }),
  };
}

export async function uploadPart(deps: Deps, call: Call): Promise<Reply> {
  const upload = uploadOf(deps, call);
  const number = Number(call.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > maxParts) {
    throw new S3Error('InvalidArgument', `Part number must be an integer between 1 and ${maxParts}, inclusive`);
  }
  const body = openBody(call, maxPartBytes);
  const segment = await deps.bodies.receive(body);
  const { md5Hex, sizeBytes, checksum } = body.facts();
  deps.meter.count('s3.bytesIn', sizeBytes);
  try {
    refuseOtherChecksum(upload, checksum);
    const part = { number, etag: md5Hex, modifiedMs: deps.now(), segment, checksum };
    const replaced = deps.catalog.putPart(upload, part);
    if (replaced) deps.bodies.discard([replaced.segment]);
  } catch (error) {
    deps.bodies.discard([segment]);
    throw error;
  }
  const { 'x-amz-checksum-type': _, ...checksumHeader } = checksumHeaders(checksum);
  return { status: 200, headers: { etag: `"${md5Hex}"`, ...checksumHeader } };
}

export async function completeMultipartUpload(deps: Deps, call: Call): Promise<Reply> {
  const condition = readWriteCondition(call.headers);
  const pending = deps.catalog.beginWrite(call.bucket.name, call.key);
  try {
    const { items } = parseItems(await readText(call, maxDocumentBytes), 'CompleteMultipartUpload', 'Part');
    const upload = uploadOf(deps, call);
    const stored = deps.catalog.parts(upload.id);
    const parts = chooseParts(items, stored, upload);
    const sizeBytes = parts.reduce((sum, { segment }) => sum + segment.sizeBytes, 0);
    refuseOtherSize(call, sizeBytes);
    const md5 = createHash('md5');
    for (const { etag } of parts) md5.update(etag, 'hex');
    const etag = `${md5.digest('hex')}-${parts.length}`;
    const checksum = wholeChecksum(upload, parts);
    const segments = parts.map(({ segment }) => segment);
    const object = { etag, sizeBytes, modifiedMs: deps.now(), segments, headers: upload.headers, checksum };
    publish(deps, call, { object, condition, pending, by: 'CompleteMultipartUpload', uploadId: upload.id });
    deps.bodies.discard(stored.filter((part) => !parts.includes(part)).map(({ segment }) => segment));
    const { bucket, key } = upload;
    const result = { Location: `/${bucket}/${key}`, Bucket: bucket, Key: key, ETag: `"${etag}"` };
    const checksumType = checksum ? { ChecksumType: 'COMPOSITE' } : {};
    return {
      status: 200,
      headers: { 'x-amz-server-side-encryption': 'AES256' },
      body: toXml('CompleteMultipartUploadResult', { ...result, ...checksumElement(checksum), ...checksumType }),
    };
  } finally {
    pending.end();
  }
}

export function abortMultipartUpload(deps: Deps, call: Call): Reply {
  const upload = uploadOf(deps, call);
  const parts = deps.catalog.parts(upload.id);
  deps.catalog.abort(upload.id);
  deps.bodies.discard(parts.map(({ segment }) => segment));
  return { status: 204 };
}

/** The upload that the request names. @throws {S3Error} NoSuchUpload */
export function uploadOf(deps: Deps, call: Call): StoredUpload {
  return deps.catalog.upload(call.query.get('uploadId') ?? '', call.bucket.name, call.key);
}

function chooseParts(
  items: readonly ReadonlyMap<string, string>[],
  stored: readonly StoredPart[],
  upload: StoredUpload,
): StoredPart[] {
  if (items.length === 0 || items.length > maxParts) {
    throw new S3Error('MalformedXML', `CompleteMultipartUpload takes 1 to ${maxParts} parts, not ${items.length}`);
  }
  const byNumber = new Map(stored.map((part) => [part.number, part]));
  const chosen: StoredPart[] = [];
  for (const item of items) {
    const number = Number(item.get('PartNumber'));
    if (!(number > (chosen.at(-1)?.number ?? 0))) {
      throw new S3Error(
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    const part = byNumber.get(number);
    if (!part || unquoted(item.get('ETag') ?? '') !== part.etag || !agreesWithChecksum(item, part, upload)) {
      throw new S3Error(
        'InvalidPart',
        'One or more of the specified parts could not be found. The part may not have been uploaded, or its entity tag or checksum may not match.',
        { UploadId: upload.id, PartNumber: String(number), ETag: item.get('ETag') ?? '' },
      );
    }
    chosen.push(part);
  }
  const small = chosen.slice(0, -1).find(({ segment }) => segment.sizeBytes < minPartBytes);
  if (small) {
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      ProposedSize: String(small.segment.sizeBytes),
      MinSizeAllowed: String(minPartBytes),
      PartNumber: String(small.number),
      ETag: small.etag,
    });
  }
  return chosen;
}

function agreesWithChecksum(item: ReadonlyMap<string, string>, part: StoredPart, upload: StoredUpload): boolean {
  const { checksumAlgorithm } = upload;
  if (checksumAlgorithm && item.get(`Checksum${checksumAlgorithm.toUpperCase()}`) === undefined) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using a ${checksumAlgorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
    );
  }
  return checksumAlgorithms.every((algorithm) => {
    const given = item.get(`Checksum${algorithm.toUpperCase()}`);
    return given === undefined || (part.checksum?.algorithm === algorithm && part.checksum.value === given);
  });
}

function wholeChecksum(upload: StoredUpload, parts: readonly StoredPart[]): Checksum | undefined {
  const { checksumAlgorithm } = upload;
  if (!checksumAlgorithm) return undefined;
  return compositeChecksum(
    checksumAlgorithm,
    parts.map(({ checksum }) => checksum?.value ?? ''),
  );
}

/** An upload that declared no algorithm takes any: the SDK adds a CRC32 to parts unasked. */
function refuseOtherChecksum({ checksumAlgorithm }: StoredUpload, checksum: Checksum | undefined): void {
  if (!checksumAlgorithm || checksum?.algorithm === checksumAlgorithm) return;
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${checksumAlgorithm}, actual checksum Type: ${checksum?.algorithm ?? 'null'}`,
  );
}

function refuseOtherSize(call: Call, sizeBytes: number): void {
  const announced = headerOf(call.headers, 'x-amz-mp-object-size');
  if (announced !== undefined && announced !== String(sizeBytes)) {
    throw new S3Error('InvalidRequest', `The parts hold ${sizeBytes} bytes, x-amz-mp-object-size says ${announced}`);
  }
}

function readAlgorithm(call: Call): ChecksumAlgorithm | undefined {
  const name = headerOf(call.headers, 'x-amz-checksum-algorithm');
  const type = headerOf(call.headers, 'x-amz-checksum-type') ?? 'COMPOSITE';
  if (type !== 'COMPOSITE')
    throw new S3Error('NotImplemented', `The local S3 does not implement x-amz-checksum-type: ${type}`);
  if (name === undefined) return undefined;
  const algorithm = parseChecksumAlgorithm(name);
  if (!algorithm)
    throw new S3Error('NotImplemented', `The local S3 does not implement x-amz-checksum-algorithm: ${name}`);
  return algorithm;
}
