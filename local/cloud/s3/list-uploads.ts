import type { Call, Deps, Reply } from './call.ts';
import { keyEncoder, readCount } from './list-objects.ts';
import { uploadOf } from './multipart.ts';
import { checksumElement } from './stored-headers.ts';
import { toXml } from './xml.ts';

const maxPageItems = 1000;

/** ListParts. @throws {S3Error} NoSuchUpload, InvalidArgument */
export function listParts(deps: Deps, call: Call): Reply {
  const upload = uploadOf(deps, call);
  const limit = readCount(call.query, 'max-parts', maxPageItems);
  const marker = readCount(call.query, 'part-number-marker', 10_000);
  const afterMarker = deps.catalog
    .parts(upload.id)
    .filter(({ number }) => !call.query.has('part-number-marker') || number > marker);
  const page = afterMarker.slice(0, limit);
  return {
    status: 200,
    body: toXml('ListPartsResult', {
      Bucket: upload.bucket,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: call.query.get('part-number-marker') ?? 0,
      NextPartNumberMarker: page.at(-1)?.number ?? 0,
      MaxParts: limit,
      IsTruncated: page.length < afterMarker.length,
      StorageClass: 'STANDARD',
      ChecksumAlgorithm: upload.checksumAlgorithm?.toUpperCase(),
      ChecksumType: upload.checksumAlgorithm && 'COMPOSITE',
      Part: page.map(({ number, modifiedMs, etag, segment, checksum }) => ({
        PartNumber: number,
        LastModified: new Date(modifiedMs).toISOString(),
        ETag: `"${etag}"`,
        Size: segment.sizeBytes,
        ...checksumElement(checksum),
      })),
    }),
  };
}

/** ListMultipartUploads, without a delimiter. @throws {S3Error} InvalidArgument */
export function listMultipartUploads(deps: Deps, call: Call): Reply {
  const { query, bucket } = call;
  const encode = keyEncoder(query);
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const limit = readCount(query, 'max-uploads', maxPageItems);
  const afterMarker = deps.catalog.uploads(bucket.name).filter(({ key, id }) => {
    const order = Buffer.compare(Buffer.from(key), Buffer.from(keyMarker));
    return key.startsWith(prefix) && (order > 0 || (order === 0 && idMarker !== '' && id > idMarker));
  });
  const page = afterMarker.slice(0, limit);
  const last = page.at(-1);
  const isTruncated = page.length < afterMarker.length;
  return {
    status: 200,
    body: toXml('ListMultipartUploadsResult', {
      Bucket: bucket.name,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: isTruncated && last ? encode(last.key) : undefined,
      NextUploadIdMarker: isTruncated ? last?.id : undefined,
      Prefix: encode(prefix),
      EncodingType: query.get('encoding-type'),
      MaxUploads: limit,
      IsTruncated: isTruncated,
      Upload: page.map(({ key, id, startedMs, checksumAlgorithm }) => ({
        Key: encode(key),
        UploadId: id,
        Initiated: new Date(startedMs).toISOString(),
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: checksumAlgorithm?.toUpperCase(),
      })),
    }),
  };
}
