import fc from 'fast-check';
import { nodeCompressors } from '../../../functions/compressors.ts';
import type { Codec } from '../../../shared/core/codec/codec.ts';
import { canonicalCodec } from '../../../shared/core/codec/codec.ts';
import { UpdateCoder } from '../../../shared/core/codec/update-coder.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import { checkContent } from '../../../shared/orchestrator/check-content.ts';
import { openVector } from '../../../shared/orchestrator/vector-reader.ts';
import { codecSchema, parseCodec } from '../../../shared/wire/codec-config.ts';
import { decodeUpdateFile, encodeUpdateFile } from '../../../shared/wire/encoded-update-file.ts';
import { encodeSafetensors } from '../../../shared/wire/safetensors.ts';
import { MemoryObjectStore } from '../../memory/memory-object-store.ts';
import { everyCodec, layout, normalUpdate } from '../../shared/core/codec/update-fixture.ts';
import { hurtJsonBytes } from '../mutate.ts';
import { must, surely, type Target } from '../target.ts';
import { hurtTensors } from './safetensors.ts';

const values = normalUpdate(layout.size, 'fuzz');
const metadata = { task: 'demo', baseVersion: '3', examples: '20' };
const ticket = { ticket: 'A'.repeat(43), task: 'demo', client: 'c', baseVersion: 3, state: 'uploading' } as never;

/** Every codec plain, and the lossless formats on a few. */
export const codecs: readonly Codec[] = [
  ...everyCodec,
  ...(['deflate', 'brotli', 'zstd'] as const).flatMap((compress) => [
    codecSchema.parse({ kind: 'fp16', compress }),
    codecSchema.parse({ kind: 'top-k', fraction: 0.05, compress }),
  ]),
];

const files = await Promise.all(
  codecs.map(async (codec) => {
    const sender = { random: randomFrom('fuzz'), compressors: nodeCompressors };
    return (await encodeUpdateFile(new UpdateCoder(codec, layout), values, metadata, sender)).bytes;
  }),
);

/** An input names its codec by its first byte, for a ticket names it too: the file does not choose. */
const tagged = (index: number) => (bytes: Uint8Array) => Uint8Array.of(index, ...bytes);

/** What the admission function says of a file, and what the aggregation then makes of it. */
export const encodedUpdate: Target = {
  name: 'encoded-update',
  valid: files.map((file, i) => tagged(i)(file)),
  inputs: fc.nat(codecs.length - 1).chain((i) => hurtTensors([files[i]]).map(tagged(i))),
  async read(bytes) {
    const codec = codecs[(bytes[0] ?? 0) % codecs.length];
    const file = bytes.slice(1);
    const store = new MemoryObjectStore(37);
    store.objects.set('k', file);
    const ports = { updates: store, models: store, compressors: nodeCompressors };
    const upload = { bytes: file.length, sha256: '', examples: 20, metrics: {}, codec, key: 'k', statement: 'a.b.c' };
    const arrival = { key: 'k', etag: store.etagOf('k'), bytes: file.length };
    const { dataOffset, encoding } = await checkContent(ports, { layout, ticket, upload }, arrival);
    const location = { store: 'updates', key: 'k', dataOffset, encoding } as const;
    const streamed = new Float32Array(layout.size);
    const whole = await surely('an admitted update that cannot be read', async () => {
      const reader = await openVector({ ...ports, layout }, location, { index: 0, start: 0, end: layout.size });
      await reader.fill(streamed);
      return decodeUpdateFile(file, new UpdateCoder(codec, layout), { compressors: nodeCompressors });
    });
    must(streamed.every(Number.isFinite), 'an admitted update that is not finite');
    must(Buffer.compare(new Uint8Array(whole.buffer), new Uint8Array(streamed.buffer)) === 0, 'two readings differ');
  },
};

const plain = encodeSafetensors({ layout, values, metadata: { ...metadata, codec: 'float32' } });

export const plainUpdate: Target = {
  name: 'plain-update',
  valid: [plain],
  inputs: hurtTensors([plain]),
  async read(bytes) {
    const store = new MemoryObjectStore(37);
    store.objects.set('k', bytes);
    const ports = { updates: store, models: store, compressors: nodeCompressors };
    const upload = { bytes: bytes.length, sha256: '', examples: 20, metrics: {}, key: 'k', statement: 'a.b.c' };
    const arrival = { key: 'k', etag: store.etagOf('k'), bytes: bytes.length };
    const { dataOffset } = await checkContent(ports, { layout, ticket, upload }, arrival);
    must(dataOffset + 4 * layout.size === bytes.length, 'data that does not fill the file');
  },
};

const codecTexts = codecs.map(canonicalCodec);

export const codecText: Target = {
  name: 'codec-text',
  valid: codecTexts.map((text) => new TextEncoder().encode(text)),
  inputs: hurtJsonBytes(codecTexts),
  read(bytes) {
    const text = new TextDecoder().decode(bytes);
    must(canonicalCodec(parseCodec(text)) === text, 'a codec with two texts');
  },
};
