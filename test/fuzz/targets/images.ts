import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { encode } from 'fast-png';
import { decodeImage } from '../../../client/typescript/data/images/image-samples.ts';
import { hurtBytes } from '../mutate.ts';
import { must, type Target } from '../target.ts';

const values = (length: number, most: number) => Array.from({ length }, (_, i) => (i * 37) % (most + 1));
const plainPngs = [
  encode({ width: 5, height: 4, channels: 1, data: Uint8Array.from(values(20, 255)) }),
  encode({ width: 3, height: 2, channels: 4, data: Uint8Array.from(values(24, 255)) }),
  encode({ width: 2, height: 3, channels: 3, depth: 16, data: Uint16Array.from(values(18, 65_535)) }),
].map((bytes) => new Uint8Array(bytes));

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function chunksOf(png: Uint8Array): Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; ) {
    const length = view.getUint32(at);
    chunks.push({
      type: Buffer.from(png.subarray(at + 4, at + 8)).toString('latin1'),
      data: png.slice(at + 8, at + 8 + length),
    });
    at += 12 + length;
  }
  return chunks;
}

function pngOf(chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.flatMap(({ type, data }) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return [length, body, sum];
  });
  return new Uint8Array(Buffer.concat([Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), ...parts]));
}

/** 4 x 2 pixels of 2 bits each, of a palette of four. */
const palettePng = pngOf([
  { type: 'IHDR', data: Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 2, 2, 3, 0, 0, 0) },
  { type: 'iCCP', data: Uint8Array.from([...Buffer.from('p\0\0'), ...deflateSync(new Uint8Array(50))]) },
  { type: 'PLTE', data: Uint8Array.from(values(12, 255)) },
  { type: 'IDAT', data: new Uint8Array(deflateSync(Uint8Array.of(0, 0b00011011, 0, 0b11100100))) },
  { type: 'IEND', data: new Uint8Array() },
]);
const pngs = [...plainPngs, palettePng];

const types = ['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'iCCP', 'tEXt', 'pHYs', 'acTL'];
const anywhere = fc.nat(1_000);

/** Chunks with other content, of another type, twice or elsewhere: their lengths and checksums are right, so that they are looked at. */
const hurtChunks = fc.constantFrom(...pngs).chain((png) => {
  const chunks = chunksOf(png);
  const changed = fc.constantFrom(...chunks.keys()).chain((at) =>
    fc.oneof(
      { weight: 4, arbitrary: hurtBytes([chunks[at].data]).map((data) => chunks.with(at, { ...chunks[at], data })) },
      fc.constantFrom(...types).map((type) => chunks.with(at, { ...chunks[at], type })),
      anywhere.map((to) => chunks.toSpliced(to % (chunks.length + 1), 0, chunks[at])),
      fc
        .constantFrom(...types)
        .chain((type) =>
          fc
            .tuple(anywhere, fc.uint8Array({ maxLength: 30 }))
            .map(([to, data]) => chunks.toSpliced(to % (chunks.length + 1), 0, { type, data })),
        ),
    ),
  );
  return changed.map(pngOf);
});

const text = (content: string) => new TextEncoder().encode(content);
const netpbms = [
  text('P2\n# grey\n3 2\n255\n0 1 2\n253 254 255\n'),
  text('P3 2 1 15  0 7 15  1 2 3'),
  Uint8Array.from([...text('P5 3 2 255\n'), 0, 1, 2, 253, 254, 255]),
  Uint8Array.from([...text('P6 2 1 65535\n'), ...values(12, 255)]),
];

function image(name: string, valid: readonly Uint8Array[], inputs: fc.Arbitrary<Uint8Array>): Target {
  return {
    name,
    valid,
    inputs,
    async read(bytes) {
      const { channels, height, width, values } = await decodeImage(bytes, 'x');
      must(values.length === channels * height * width && values.length > 0, 'another number of values');
      must(
        values.every((value) => value >= 0 && value <= 1),
        'a value that is none of a pixel',
      );
      // Deflate makes at most 1,032 bytes of one, of 8 pixels each.
      must(values.length <= 3 * 8 * 1_032 * bytes.length, 'more pixels than there can be in it');
    },
  };
}

export const images: readonly Target[] = [
  image('png', pngs, fc.oneof({ weight: 3, arbitrary: hurtChunks }, { weight: 1, arbitrary: hurtBytes(pngs) })),
  image('netpbm', netpbms, hurtBytes(netpbms)),
];
