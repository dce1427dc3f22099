import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { PresignedPut } from '../../shared/wire/api.ts';

/**
 * A PUT of exactly `bytes` bytes with SHA-256 `sha256` (hex) to a key that does not exist yet. The client must be made
 * with `requestChecksumCalculation: 'WHEN_REQUIRED'`, or the SDK signs the CRC32 of an empty body; the checksum must
 * stay a header, because S3 ignores it in the query.
 */
export async function presignPut(
  client: S3Client,
  bucket: string,
  key: string,
  { bytes, sha256, expiresAtMs, nowMs }: { bytes: number; sha256: string; expiresAtMs: number; nowMs: number },
): Promise<PresignedPut> {
  const checksum = Buffer.from(sha256, 'hex').toString('base64');
  const url = await getSignedUrl(
    client,
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      ContentLength: bytes,
      ChecksumSHA256: checksum,
      IfNoneMatch: '*',
    }),
    {
      expiresIn: Math.max(1, Math.floor((expiresAtMs - nowMs) / 1000)),
      unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
    },
  );
  const headers = { 'content-length': String(bytes), 'if-none-match': '*', 'x-amz-checksum-sha256': checksum };
  return { url, headers, expiresAtMs };
}
