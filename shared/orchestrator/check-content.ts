import type { Codec } from '../core/codec/codec.ts';
import { UpdateCoder } from '../core/codec/update-coder.ts';
import { FlError } from '../core/errors.ts';
import type { Layout } from '../core/params.ts';
import { shown } from '../core/shown.ts';
import type { TicketRecord, UploadBinding } from '../ports/round-store.ts';
import type { Encoding } from '../wire/codec-config.ts';
import { mostHeaderBytes, parseEncodedUpdate } from '../wire/encoded-update.ts';
import { headerJson, requireLayout } from '../wire/safetensors.ts';
import type { Arrival } from './admit-update.ts';
import type { Ports } from './ports.ts';
import { openSafetensors, readBytes } from './read-object.ts';
import { requireFinite } from './require-finite.ts';
import { openVector } from './vector-reader.ts';

/** What an upload is checked against. */
export interface Expected {
  readonly layout: Layout;
  readonly ticket: TicketRecord;
  readonly upload: UploadBinding;
}

/** Where an admitted update's vector lies in its file, and how it is written. */
export interface Content {
  readonly dataOffset: number;
  readonly encoding?: Encoding;
}

/** For metadata, and for those who write JSON with more spaces: a header takes many times its bytes once it is read. */
const headerAllowanceBytes = 64 * 1024;

/** Values that are looked at together. */
const blockElements = 65_536;

/**
 * Header, layout, metadata and finiteness of the whole update, streamed: what is admitted can be aggregated.
 * @throws {FlError} with `retry: 'never'` for every reason to refuse it
 */
export async function checkContent(
  ports: Pick<Ports, 'updates' | 'models' | 'compressors'>,
  expected: Expected,
  arrival: Arrival,
): Promise<Content> {
  const { upload } = expected;
  if (arrival.bytes !== upload.bytes) {
    throw new FlError('size-mismatch', `${arrival.bytes} bytes; the ticket declared ${upload.bytes}`);
  }
  const codec = upload.codec;
  return codec === undefined ? checkPlain(ports, expected, arrival) : checkEncoded(ports, expected, arrival, codec);
}

async function checkPlain(
  { updates }: Pick<Ports, 'updates'>,
  { layout, ticket, upload }: Expected,
  { key, etag, bytes }: Arrival,
): Promise<Content> {
  const { header, data } = await openSafetensors(updates, key, {
    fileBytes: bytes,
    etag,
    mostHeader: 2 * headerJson(layout).length + headerAllowanceBytes,
  });
  try {
    requireLayout(header.layout, layout);
    requireMetadata(header.metadata, { ...metadataOf(ticket, upload), codec: 'float32' });
    await requireFinite(data, layout.size);
  } finally {
    await data.close();
  }
  return { dataOffset: header.dataOffset };
}

async function checkEncoded(
  ports: Pick<Ports, 'updates' | 'models' | 'compressors'>,
  { layout, ticket, upload }: Expected,
  { key, etag, bytes }: Arrival,
  codec: Codec,
): Promise<Content> {
  const coder = new UpdateCoder(codec, layout);
  const range = { start: 0, end: Math.min(bytes, mostHeaderBytes) };
  const start = await readBytes(ports.updates, key, { range, etag, maxBytes: mostHeaderBytes });
  const { metadata, index, shared, frames } = parseEncodedUpdate(start, bytes, coder);
  requireMetadata(metadata, metadataOf(ticket, upload));
  const encoding: Encoding = { codec, chunkSize: coder.chunkSize, index, shared, frames };
  const dataOffset = shared.start;
  // Decoding finds whatever a frame may hide: lengths, positions, values that are not finite.
  const whole = { index: 0, start: 0, end: layout.size };
  const location = { store: 'updates', key, etag, dataOffset, encoding } as const;
  const reader = await openVector({ ...ports, layout }, location, whole);
  const block = new Float32Array(Math.min(layout.size, blockElements));
  for (let position = 0; position < layout.size; position += block.length) {
    await reader.fill(block.subarray(0, Math.min(block.length, layout.size - position)));
  }
  await reader.close();
  return { dataOffset, encoding };
}

function metadataOf(ticket: TicketRecord, upload: UploadBinding): Readonly<Record<string, string>> {
  return { task: ticket.task, baseVersion: String(ticket.baseVersion), examples: String(upload.examples) };
}

function requireMetadata(found: Readonly<Record<string, string>>, expected: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(expected)) {
    if (found[name] !== value) {
      throw new FlError('header-mismatch', `metadata ${name} is ${shown(found[name])}, expected "${value}"`);
    }
  }
}
