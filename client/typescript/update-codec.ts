import type { Codec } from '../../shared/core/codec/codec.ts';
import type { Compressors } from '../../shared/core/codec/compressor.ts';
import { UpdateCoder } from '../../shared/core/codec/update-coder.ts';
import type { Layout } from '../../shared/core/params.ts';
import type { Random } from '../../shared/core/random.ts';
import { encodeUpdateFile } from '../../shared/wire/encoded-update-file.ts';
import { blankSafetensors } from '../../shared/wire/safetensors.ts';
import type { Store } from './store.ts';

/** Plain float32 in a safetensors file: what every task takes. */
export const plainCodec: Codec = { kind: 'float32', compress: 'none' };

type Check = (value: unknown) => boolean;
const between =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most;
const block: Check = (value) => between(32, 65_536)(value) && Number.isInteger(Math.log2(Number(value)));
const rank: Check = (value) => between(1, 64)(value) && Number.isInteger(value);
const rotate: Check = (value) => typeof value === 'boolean';
const compress: Check = (value) => ['none', 'deflate', 'brotli', 'zstd'].some((known) => known === value);

/** The bounds of shared/wire/codec-config.ts, by hand: a block of 0 would never end, a rank of 1e9 never fit. */
const fieldsOf: Readonly<Record<Codec['kind'], Readonly<Record<string, Check>>>> = {
  float32: {},
  fp16: {},
  bf16: {},
  int8: { block, rotate },
  int4: { block, rotate },
  sign: { block, rotate },
  'top-k': { fraction: between(0.0001, 1) },
  'random-k': { fraction: between(0.0001, 1) },
  mask: { fraction: between(0, 0.9999) },
  'low-rank': { rank },
};

const kinds = Object.keys(fieldsOf) as readonly Codec['kind'][];

/** The codec that a server names, or undefined if this client does not know it. */
export function codecOf(named: unknown): Codec | undefined {
  if (typeof named !== 'object' || named === null) return undefined;
  const given = new Map<string, unknown>(Object.entries(named));
  const kind = kinds.find((known) => known === given.get('kind'));
  if (!kind) return undefined;
  const checks = Object.entries({ ...fieldsOf[kind], compress });
  const fits = given.size === checks.length + 1 && checks.every(([field, isGood]) => isGood(given.get(field)));
  return fits ? (named as Codec) : undefined;
}

/** The codec without its lossless stage where this place cannot write that. */
export function writable(codec: Codec, compressors: Compressors): Codec {
  if (codec.compress === 'none' || compressors[codec.compress]) return codec;
  return { ...codec, compress: 'none' };
}

/**
 * The update's file, and the residual that the client adds to its next update where the codec leaves something out.
 * @param fill writes the update, `[P]`: straight into the file where that is plain, so that it is in memory once
 */
export async function writeUpdate(
  codec: Codec,
  layout: Layout,
  fill: (values: Float32Array) => void,
  metadata: Readonly<Record<string, string>>,
  sender: { readonly random: Random; readonly residual?: Float32Array; readonly compressors: Compressors },
): Promise<{ readonly bytes: Uint8Array; readonly residual?: Float32Array; readonly codec?: Codec }> {
  if (codec.kind === 'float32' && codec.compress === 'none') {
    const { bytes, values } = blankSafetensors({ layout, metadata: { ...metadata, codec: 'float32' } });
    fill(values);
    return { bytes };
  }
  const values = new Float32Array(layout.size);
  fill(values);
  const { bytes, residual } = await encodeUpdateFile(new UpdateCoder(codec, layout), values, metadata, sender);
  return { bytes, residual, codec };
}

const residualKey = (task: string, client: string) => `residual/${task}/${client}`;

/** What the client's last stored update left out, if it is of this model. */
export async function loadResidual(
  store: Store,
  task: string,
  client: string,
  size: number,
): Promise<Float32Array | undefined> {
  const bytes = await store.get(residualKey(task, client));
  return bytes?.length === 4 * size ? new Float32Array(new Uint8Array(bytes).buffer) : undefined;
}

export async function saveResidual(
  store: Store,
  task: string,
  client: string,
  residual: Float32Array | undefined,
): Promise<void> {
  const key = residualKey(task, client);
  if (residual) await store.set(key, new Uint8Array(residual.buffer, residual.byteOffset, residual.byteLength));
  else await store.delete(key);
}
