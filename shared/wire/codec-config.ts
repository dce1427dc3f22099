import { z } from 'zod';
import { type Codec, canonicalCodec } from '../core/codec/codec.ts';
import { defaultChunkSize } from '../core/codec/update-coder.ts';
import { FlError } from '../core/errors.ts';
import { shown } from '../core/shown.ts';
import { parseAs } from './parse-as.ts';
import { parseStrictJson } from './strict-json.ts';

const compress = z.enum(['none', 'deflate', 'brotli', 'zstd']).default('none');
const rotate = z.boolean().default(false);

/** Elements that share one scale: a power of two. Smaller blocks follow the values better and cost 4 bytes each. */
const block = (normal: number) =>
  z
    .number()
    .int()
    .min(32)
    .max(65_536)
    .refine((size) => Number.isInteger(Math.log2(size)), 'must be a power of two')
    .default(normal);

/** A share of the elements that are sent; written out it must not need an exponent, so that every language writes it alike. */
const sentFraction = (normal: number) => z.number().min(0.0001).max(1).default(normal);

export const codecKinds = [
  'float32',
  'fp16',
  'bf16',
  'int8',
  'int4',
  'sign',
  'top-k',
  'random-k',
  'mask',
  'low-rank',
] as const satisfies readonly Codec['kind'][];

/** How clients write their updates; what each kind loses is said in its file of shared/core/codec. */
export const codecSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('float32'), compress }),
  z.strictObject({ kind: z.literal('fp16'), compress }),
  z.strictObject({ kind: z.literal('bf16'), compress }),
  z.strictObject({ kind: z.literal('int8'), block: block(256), rotate, compress }),
  z.strictObject({ kind: z.literal('int4'), block: block(64), rotate, compress }),
  z.strictObject({ kind: z.literal('sign'), block: block(256), rotate, compress }),
  z.strictObject({ kind: z.literal('top-k'), fraction: sentFraction(0.01), compress }),
  z.strictObject({ kind: z.literal('random-k'), fraction: sentFraction(0.1), compress }),
  /** `fraction` of the elements is pruned; 0 sends whatever is not zero. */
  z.strictObject({ kind: z.literal('mask'), fraction: z.number().min(0).max(0.9999).default(0.5), compress }),
  z.strictObject({ kind: z.literal('low-rank'), rank: z.number().int().min(1).max(64).default(4), compress }),
]) satisfies z.ZodType<Codec, unknown>;

const span = z.strictObject({ start: z.number().int().min(0), end: z.number().int().min(0) });

/** How a stored update is encoded and where its sections lie, as its header said when it was admitted. Bytes of the file. */
export const encodingSchema = z.strictObject({
  codec: codecSchema,
  chunkSize: z.number().int().min(1).max(defaultChunkSize),
  index: span.optional(),
  shared: span,
  frames: span,
});
export type Encoding = z.output<typeof encodingSchema>;

/** What a person writes: everything but `kind` has a default. */
export type CodecInput = z.input<typeof codecSchema>;

/** The codec that a file's metadata names. @throws {FlError} `codec-unknown` unless it is a codec's one canonical text */
export function parseCodec(text: string): Codec {
  let found: unknown;
  try {
    found = parseStrictJson(text);
  } catch (cause) {
    throw new FlError('codec-unknown', `${shown(text)} is not JSON`, { cause });
  }
  const codec = parseAs(codecSchema, found, 'codec-unknown', 'codec');
  const canonical = canonicalCodec(codec);
  if (canonical !== text) throw new FlError('codec-unknown', `${shown(text)}, expected ${canonical}`);
  return codec;
}
