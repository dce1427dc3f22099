import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadFederation } from '../../../../local/data/load-federation.ts';
import type { MnistOptions } from '../../../../local/data/mnist/load-mnist.ts';

const realData = join(import.meta.dirname, '../../../../../shared/data/mnist');

describe('mnist from small files', () => {
  let folder: string;
  const load = (options: Partial<MnistOptions> = {}) =>
    loadFederation({ dataset: 'mnist', dataDir: folder, clients: 4, ...options });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-mnist-'));
    // The pixel names the example: image i is [i, label].
    const labels = Array.from({ length: 200 }, (_, i) => i % 10);
    await writeFile(join(folder, 'train-images-idx3-ubyte'), images(labels));
    await writeFile(join(folder, 'train-labels-idx1-ubyte.gz'), gzipSync(labelFile(labels)));
    await writeFile(join(folder, 't10k-images.idx3-ubyte'), images(labels.slice(0, 30)));
    await writeFile(join(folder, 't10k-labels.idx1-ubyte.gz'), gzipSync(labelFile(labels.slice(0, 30))));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('reads plain and gzip files, dashed and dotted names, and keeps each image with its label', async () => {
    const { clients, heldOut, shape } = await load();
    expect(shape).toEqual([1, 1, 2]);
    const seen: number[] = [];
    for (const { train } of clients) {
      for (let i = 0; i < train.n; i++) {
        seen.push(Math.round(train.x[2 * i] * 255));
        expect(train.y[i]).toBe(Math.round(train.x[2 * i + 1] * 255));
      }
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(heldOut.n).toBe(30);
    expect([...heldOut.y.subarray(0, 3)]).toEqual([0, 1, 2]);
    expect(heldOut.x[2 * 5]).toBeCloseTo(5 / 255, 7);
  });

  it('gives clients views of one buffer', async () => {
    const { clients } = await load();
    expect(new Set(clients.map(({ train }) => train.x.buffer)).size).toBe(1);
  });

  it('keeps a share of each client for testing where asked', async () => {
    const { clients } = await load({ split: { kind: 'shards' }, testShare: 0.2 });
    for (const { train, test } of clients) expect([train.n, test.n]).toEqual([40, 10]);
  });

  it('evaluates on a seeded choice of the test images where asked', async () => {
    const [a, b, c] = await Promise.all([load({ heldOut: 7 }), load({ heldOut: 7 }), load({ heldOut: 7, seed: 9 })]);
    expect(a.heldOut.n).toBe(7);
    expect(b.fingerprint).toBe(a.fingerprint);
    expect(c.fingerprint).not.toBe(a.fingerprint);
  });

  it('names the folder and the file that is missing', async () => {
    await rm(join(folder, 't10k-images.idx3-ubyte'));
    await expect(load()).rejects.toThrow(/\[data-missing\].*holds no t10k-images-idx3-ubyte \(nor .*\.gz\)/);
  });

  it('refuses labels that are no digits', async () => {
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), labelFile([3, 10]));
    await expect(load()).rejects.toThrow(/\[data-malformed\] train-labels-idx1-ubyte: label 10 at 1/);
  });

  it('refuses another number of images than labels', async () => {
    await writeFile(join(folder, 'train-images-idx3-ubyte'), images([1, 2, 3]));
    await expect(load()).rejects.toThrow(/3 images, but 200 labels/);
  });

  it('refuses a damaged gzip file by name', async () => {
    await writeFile(join(folder, 'train-labels-idx1-ubyte.gz'), gzipSync(labelFile([1, 2])).subarray(0, 15));
    await expect(load()).rejects.toThrow(/\[data-malformed\] train-labels-idx1-ubyte.gz: damaged gzip/);
  });
});

describe.skipIf(!existsSync(realData))('the real MNIST (skipped where ../shared/data/mnist is absent)', () => {
  it('cuts 60,000 images into 100 skewed clients and evaluates on the 10,000', async () => {
    const federation = await loadFederation({ dataset: 'mnist', dataDir: realData });
    const { clients, heldOut } = federation;
    expect(federation.shape).toEqual([1, 28, 28]);
    expect(clients.reduce((sum, { train }) => sum + train.n, 0)).toBe(60_000);
    expect(Math.min(...clients.map(({ train }) => train.n))).toBeGreaterThanOrEqual(20);
    expect(heldOut.n).toBe(10_000);
    // First test labels, as every reader of MNIST knows them.
    expect([...heldOut.y.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    // Mean and deviation of the training pixels, as PyTorch's example normalises them.
    const { x } = clients[0].train;
    const all = new Float32Array(x.buffer);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    expect(mean).toBeCloseTo(0.1307, 4);
  }, 60_000);
});

function labelFile(labels: readonly number[]): Uint8Array {
  return new Uint8Array([0, 0, 8, 1, ...bigEndian(labels.length), ...labels]);
}

function images(labels: readonly number[]): Uint8Array {
  const pixels = labels.flatMap((label, i) => [i, label]);
  return new Uint8Array([0, 0, 8, 3, ...bigEndian(labels.length), ...bigEndian(1), ...bigEndian(2), ...pixels]);
}

function bigEndian(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
