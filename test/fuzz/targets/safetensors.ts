import fc from 'fast-check';
import { layoutOf, sameLayout } from '../../../shared/core/params.ts';
import type { Samples } from '../../../shared/core/samples.ts';
import { openSafetensors } from '../../../shared/orchestrator/read-object.ts';
import { encodeHeldOut, parseHeldOut } from '../../../shared/wire/held-out.ts';
import { encodeSafetensors, parseSafetensors } from '../../../shared/wire/safetensors.ts';
import { hurtBytes, hurtJson } from '../mutate.ts';
import { must, surely, type Target } from '../target.ts';

const file = encodeSafetensors({
  layout: layoutOf([
    { name: 'b', shape: [3] },
    { name: 'empty', shape: [0, 4] },
    { name: 's', shape: [] },
    { name: 'w', shape: [2, 3] },
  ]),
  values: Float32Array.from({ length: 10 }, (_, i) => i / 4),
  metadata: { task: 'demo', codec: 'float32', baseVersion: '3' },
});
const none = encodeSafetensors({ layout: layoutOf([]), values: new Float32Array() });

/** A whole file is read as the same file is that streams in, whatever it holds; and what is read can be written. */
export const safetensors: Target = {
  name: 'safetensors',
  valid: [file, none],
  inputs: hurtTensors([file, none]),
  async read(bytes) {
    const streamed = await streamedValues(bytes);
    const { layout, metadata, values } = parseSafetensors(bytes);
    must(layout.size === values.length && layout.size * 4 <= bytes.length, 'values that the file does not hold');
    must(streamed !== undefined && same(values, streamed), 'the stream says something else than the whole file');
    const again = await surely('a file that cannot be written again', () =>
      parseSafetensors(encodeSafetensors({ layout, values, metadata })),
    );
    must(sameLayout(again.layout, layout) && same(again.values, values), 'a file that cannot be written again');
    must(JSON.stringify(again.metadata) === JSON.stringify(sorted(metadata)), 'metadata that cannot be written again');
  },
};

const samples: Samples = { x: new Float32Array(6).fill(0.5), y: Int32Array.of(0, 1, 2), n: 3, shape: [2] };
const heldOutFiles = [encodeHeldOut(samples), encodeHeldOut({ ...samples, y: Float32Array.of(0.5, -1, 2) })];

export const heldOut: Target = {
  name: 'held-out',
  valid: heldOutFiles,
  inputs: hurtTensors(heldOutFiles),
  read(bytes) {
    const { x, y, n, shape } = parseHeldOut(bytes);
    must(n > 0 && n <= bytes.length, `${n} examples in ${bytes.length} bytes`);
    must(x.length === n * shape.reduce((a, b) => a * b, 1) && x.length > 0, 'another number of features');
    must(y.length >= n && y.length % n === 0, 'another number of labels');
    must(y instanceof Float32Array || y.every((label) => label >= 0), 'a label below zero');
    must(x.every(Number.isFinite) && y.every(Number.isFinite), 'values that are not finite');
  },
};

/** Any bytes, and files whose header is another JSON: the length before it is right, so that the JSON is looked at. */
export function hurtTensors(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const parts = files.map((bytes) => {
    const end = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    return { json: new TextDecoder().decode(bytes.subarray(8, end)), data: bytes.subarray(end) };
  });
  const reworded = fc
    .constantFrom(...parts)
    .chain(({ json, data }) => hurtJson([json]).map((text) => withHeader(text, data)));
  const otherData = fc
    .constantFrom(...parts)
    .chain(({ json, data }) => hurtBytes([data]).map((hurt) => withHeader(json, fitted(hurt, data))));
  return fc.oneof(hurtBytes(files), reworded, otherData);
}

/** A file with any header. */
export function withHeader(json: string | Uint8Array, data: Uint8Array = new Uint8Array()): Uint8Array {
  const header = typeof json === 'string' ? new TextEncoder().encode(json) : json;
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

/** As long as the original. */
function fitted(bytes: Uint8Array, { length }: Uint8Array): Uint8Array {
  const result = new Uint8Array(length);
  result.set(bytes.subarray(0, length));
  return result;
}

async function streamedValues(bytes: Uint8Array): Promise<Float32Array | undefined> {
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7);
  }
  const store = { head: async () => undefined, stream: async () => chunks() };
  try {
    const { header, data } = await openSafetensors(store, 'update', { fileBytes: bytes.length });
    const values = new Float32Array(header.layout.size);
    // As bytes: a number keeps no NaN's bits.
    await data.fill(new Uint8Array(values.buffer));
    return values;
  } catch {
    return undefined;
  }
}

/** NaN is a value, so bits are compared. */
function same(a: Float32Array, b: Float32Array): boolean {
  const bytes = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.compare(bytes(a), bytes(b)) === 0;
}

function sorted(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.keys(metadata)
      .sort()
      .map((key) => [key, metadata[key]]),
  );
}
