import { arriving } from './arriving.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import { type Call, headerOf } from './call.ts';
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithms,
  type Digest,
  hashDigest,
  isChecksumValue,
  startDigest,
} from './checksum.ts';
import { S3Error } from './errors.ts';

/** A request body on its way in: read `chunks` to the end, then `facts()` holds. */
export interface IncomingBody {
  /** Throws an `S3Error` at its end if the body is not what its headers say. */
  readonly chunks: AsyncIterable<Uint8Array>;
  facts(): BodyFacts;
}

export interface BodyFacts {
  readonly sizeBytes: number;
  readonly md5Hex: string;
  readonly checksum?: Checksum;
}

const streamingTrailer = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/**
 * Opens a request's body; its headers are checked now, its bytes as they are read.
 * @throws {S3Error} MissingContentLength, EntityTooLarge, InvalidDigest, InvalidRequest or NotImplemented
 */
export function openBody(call: Call, maxBytes: number): IncomingBody {
  const contentHash = readContentHash(call);
  const announced = announcedSize(call, contentHash === streamingTrailer);
  if (announced > maxBytes) {
    throw new S3Error('EntityTooLarge', `Your proposed upload exceeds the maximum allowed size of ${maxBytes} bytes`, {
      ProposedSize: String(announced),
      MaxSizeAllowed: String(maxBytes),
    });
  }
  const declared = declaredChecksum(call);
  const contentMd5 = readContentMd5(call);
  const md5 = hashDigest('md5');
  const sha256 = /^[0-9a-f]{64}$/.test(contentHash ?? '') ? hashDigest('sha256') : undefined;
  const checksum = declared && startDigest(declared.algorithm);
  const trailers = new Map<string, string>();
  const digests = [md5, sha256, checksum].filter((digest): digest is Digest => digest !== undefined);
  let facts: BodyFacts | undefined;

  async function* chunks(): AsyncGenerator<Uint8Array> {
    let sizeBytes = 0;
    if (call.headers.expect !== undefined) call.response.writeContinue();
    const bytes = arriving(call.message);
    const source = contentHash === streamingTrailer ? decodeAwsChunked(bytes, trailers) : bytes;
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > announced) break;
      for (const digest of digests) digest.update(chunk);
      yield chunk;
    }
    if (sizeBytes !== announced) {
      throw new S3Error('IncompleteBody', `The request body holds ${sizeBytes} bytes, its headers say ${announced}`);
    }
    const md5Bytes = md5.digest();
    if (contentMd5 !== undefined && md5Bytes.toString('base64') !== contentMd5) {
      throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    if (sha256 && sha256.digest().toString('hex') !== contentHash) {
      throw new S3Error(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    facts = { sizeBytes, md5Hex: md5Bytes.toString('hex'), checksum: settle(declared, checksum, trailers) };
  }

  return {
    chunks: chunks(),
    facts: () => {
      if (!facts) throw new Error('body: facts() before the body was read');
      return facts;
    },
  };
}

/** A small body, whole. @throws {S3Error} as `openBody` */
export async function readText(call: Call, maxBytes: number): Promise<string> {
  const body = openBody(call, maxBytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

interface DeclaredChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Missing where it follows in the trailer. */
  readonly value?: string;
}

function declaredChecksum(call: Call): DeclaredChecksum | undefined {
  const inHeader = checksumAlgorithms.flatMap((algorithm) => {
    const value = headerOf(call.headers, `x-amz-checksum-${algorithm}`);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const trailer = headerOf(call.headers, 'x-amz-trailer');
  const inTrailer = checksumAlgorithms.find((algorithm) => trailer === `x-amz-checksum-${algorithm}`);
  if (trailer !== undefined && inTrailer === undefined) {
    throw new S3Error('NotImplemented', `The local S3 does not implement x-amz-trailer: ${trailer}`);
  }
  if (inHeader.length + (inTrailer ? 1 : 0) > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  for (const { algorithm, value } of inHeader) {
    if (!isChecksumValue(algorithm, value)) {
      throw new S3Error('InvalidRequest', `Value for x-amz-checksum-${algorithm} header is invalid.`);
    }
  }
  return inTrailer ? { algorithm: inTrailer } : inHeader[0];
}

function settle(
  declared: DeclaredChecksum | undefined,
  digest: Digest | undefined,
  trailers: ReadonlyMap<string, string>,
): Checksum | undefined {
  if (!declared || !digest) return undefined;
  const { algorithm } = declared;
  const expected = declared.value ?? trailers.get(`x-amz-checksum-${algorithm}`);
  if (expected === undefined) {
    throw new S3Error(
      'MalformedTrailerError',
      `The trailer x-amz-checksum-${algorithm} was announced but did not arrive`,
    );
  }
  const value = digest.digest().toString('base64');
  if (value !== expected) {
    const name = algorithm.toUpperCase();
    throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`);
  }
  return { algorithm, value };
}

function readContentHash(call: Call): string | undefined {
  const hash = headerOf(call.headers, 'x-amz-content-sha256') ?? call.query.get('X-Amz-Content-Sha256');
  const known = hash === undefined || hash === 'UNSIGNED-PAYLOAD' || hash === streamingTrailer;
  if (known || /^[0-9a-f]{64}$/.test(hash)) return hash;
  if (hash.startsWith('STREAMING-')) {
    throw new S3Error('NotImplemented', `The local S3 does not implement x-amz-content-sha256: ${hash}`);
  }
  throw new S3Error(
    'InvalidArgument',
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value.',
  );
}

function announcedSize(call: Call, isChunked: boolean): number {
  const text = headerOf(call.headers, isChunked ? 'x-amz-decoded-content-length' : 'content-length');
  if (text === undefined) throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  if (!/^\d{1,15}$/.test(text)) throw new S3Error('InvalidArgument', `"${text}" is not a content length`);
  return Number(text);
}

function readContentMd5(call: Call): string | undefined {
  const md5 = headerOf(call.headers, 'content-md5');
  const isMd5 = md5 === undefined || Buffer.from(md5, 'base64').length === 16;
  if (!isMd5) throw new S3Error('InvalidDigest', 'The Content-MD5 you specified is not valid.');
  return md5;
}
