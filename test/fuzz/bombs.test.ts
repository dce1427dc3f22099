import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { webCompressors } from '../../client/typescript/compressors.ts';
import { parseTable } from '../../client/typescript/data/table/table.ts';
import { nodeCompressors } from '../../functions/compressors.ts';
import { logger } from '../../functions/logger.ts';
import { readPlainOrGzip } from '../../local/data/read-file.ts';
import { layoutOf } from '../../shared/core/params.ts';
import { openSafetensors } from '../../shared/orchestrator/read-object.ts';
import { createTaskSchema } from '../../shared/wire/api.ts';
import { headerJson } from '../../shared/wire/safetensors.ts';
import { MemoryFederation } from '../memory/federation.ts';
import { attempt } from './target.ts';
import { targets } from './targets/all.ts';
import { withHeader } from './targets/safetensors.ts';

/** Inputs too large for the corpus: each is made here. */

beforeAll(() => {
  for (const level of ['warn', 'error'] as const) vi.spyOn(logger, level).mockImplementation(() => {});
});

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const encode = (text: string) => new TextEncoder().encode(text);

const bombs: [string, Uint8Array][] = [
  ['nothing', new Uint8Array()],
  ['one byte', Uint8Array.of(0)],
  ['100,000 brackets', encode(deep(100_000))],
  ['100,000 objects in each other', encode(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)],
  ['a header of 100,000 brackets', withHeader(`{"x":${deep(100_000)}}`)],
  ['100,000 groups of protobuf in each other', new Uint8Array(100_000).fill(0x0b)],
  ['64 KB of zeros', new Uint8Array(1 << 16)],
  ['64 KB of one text', encode(`"${'a'.repeat(1 << 16)}"`)],
  ['64 KB of quotes', encode('"'.repeat(1 << 16))],
  ['a name of 64 KB', encode(`{"${'a'.repeat(1 << 16)}":1}`)],
  ['5,000 names', encode(`{${Array.from({ length: 5_000 }, (_, i) => `"n${i}":1`).join()}}`)],
  ['a number of 64 KB', encode('9'.repeat(1 << 16))],
];

describe.each(bombs)('%s', (_, bytes) => {
  it.each(targets.map((target) => [target.name, target] as const))('does nothing to %s', async (_, target) => {
    // csv-parse takes a second for half a megabyte in one line.
    await attempt(target, target.name.startsWith('csv') ? bytes.slice(0, 30_000) : bytes);
  });
});

describe('every cut and every flipped bit of a valid input', () => {
  /** In full where inputs are short; of long ones every so many: a campaign has them all. */
  const cases = 40;
  const small = targets.filter(({ name }) => !['training-package', 'csv-folder', 'gzip', 'onnx-import'].includes(name));
  it.each(small.map((target) => [target.name, target] as const))('%s', async (_, target) => {
    for (const bytes of target.valid.slice(0, 2)) {
      const stride = Math.max(1, Math.ceil((8 * bytes.length) / cases));
      for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / cases)) {
        await attempt(target, bytes.slice(0, length));
      }
      for (let bit = 0; bit < 8 * bytes.length; bit += stride) {
        const flipped = bytes.slice();
        flipped[bit >> 3] ^= 1 << (bit & 7);
        await attempt(target, flipped);
      }
    }
  });
});

describe('memory', () => {
  const zeros = new Uint8Array(64 << 20);

  it.each([
    ['deflate', nodeCompressors.deflate, zlib.deflateSync(zeros)],
    ['deflate in a browser', webCompressors.deflate, zlib.deflateSync(zeros)],
    [
      'brotli',
      nodeCompressors.brotli,
      zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }),
    ],
    ['zstd', nodeCompressors.zstd, zlib.zstdCompressSync(zeros)],
  ] as const)('a bomb of %s stops at the known size of its frame', async (_, compressor, bomb) => {
    expect(bomb.length).toBeLessThan(100_000);
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const unpack = async () => {
      try {
        return await compressor?.decompress(bomb, 1_000);
      } finally {
        most = process.memoryUsage().arrayBuffers - before;
      }
    };
    await expect(unpack()).rejects.toThrow();
    expect(most).toBeLessThan(16 << 20);
  });

  it.each([
    [
      'two zlib streams in a row',
      () => Uint8Array.from([...zlib.deflateSync(encode('a')), ...zlib.deflateSync(encode('b'))]),
      'deflate',
    ],
    [
      'two zstd frames in a row',
      () => Uint8Array.from([...zlib.zstdCompressSync(encode('a')), ...zlib.zstdCompressSync(encode('b'))]),
      'zstd',
    ],
  ] as const)('%s never make more than the frame', async (_, make, format) => {
    const result = await Promise.resolve()
      .then(() => nodeCompressors[format]?.decompress(make(), 2))
      .catch(() => new Uint8Array());
    expect(result?.length).toBeLessThanOrEqual(2);
  });

  it('a header larger than the model has is refused once its length is read', async () => {
    const layout = layoutOf([{ name: 'w', shape: [3] }]);
    let taken = 0;
    async function* stream() {
      const start = new Uint8Array(64);
      new DataView(start.buffer).setBigUint64(0, 15n << 20n, true);
      for (; ; taken++) yield start;
    }
    const store = { head: async () => undefined, stream: async () => stream() };
    const mostHeader = 2 * headerJson(layout).length;
    const opened = openSafetensors(store, 'update', { fileBytes: 16 << 20, mostHeader });
    await expect(opened).rejects.toMatchObject({ code: 'safetensors-malformed' });
    expect(taken).toBeLessThan(2);
  });

  it('a line of 50 MB is refused, and so are a line of commas and a quote that is never closed', () => {
    const cells = `${'a,'.repeat(25 << 20)}b`;
    expect(() => parseTable(cells, 'silo.csv')).toThrow('data-malformed');
    expect(() => parseTable(`a,b\n${','.repeat(2 << 20)}`, 'silo.csv')).toThrow('silo.csv:2');
    expect(() => parseTable(`a,b\n1,"${'x\n'.repeat(2 << 20)}`, 'silo.csv')).toThrow('data-malformed');
  });

  it('a link to a device is no data file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fuzz-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await symlink('/dev/zero', join(folder, 'endless.csv'));
    await expect(readPlainOrGzip(join(folder, 'endless.csv'), 1_000)).rejects.toMatchObject({ code: 'data-malformed' });
  });

  it('a task that no item of DynamoDB holds is refused', () => {
    const means = Array.from({ length: 1_000 }, (_, i) => `${i}`.padEnd(500, 'n'));
    const artifacts = Object.fromEntries(
      ['forward.onnx', 'evaluate.onnx', 'train-step.onnx', 'train-epoch.onnx', 'initial.safetensors'].map((name) => [
        name,
        { bytes: 1, sha256: '0'.repeat(64) },
      ]),
    );
    const taken = (statistics: object) => createTaskSchema.safeParse({ config: { task: 'a', statistics }, artifacts });
    expect(taken({ means: means.slice(0, 500) }).success).toBe(true);
    expect(taken({ means }).error?.issues).toMatchObject([{ path: ['config'] }]);
  });

  it('what a quarantine record shows of a hostile update is a line, of whole characters', async () => {
    const federation = new MemoryFederation();
    const task = await federation.start({ task: 'demo' });
    const name = `\\ud800${'n'.repeat(50_000)}`;
    const bytes = withHeader(`{"${name}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, new Uint8Array(4));
    await federation.contribute(task, 'liar', new Float32Array(federation.layout.size), { bytes });
    const [record] = await federation.rounds.quarantined(task, 10);
    expect(record).toMatchObject({ client: 'liar', reason: 'safetensors-malformed' });
    expect(record.detail.length).toBeLessThan(500);
    expect(record.detail.isWellFormed()).toBe(true);
  });
});
