import { describe, expect, it } from 'vitest';
import type { ClientData } from '../../../local/data/federation.ts';
import { loadFederation } from '../../../local/data/load-federation.ts';

const synthetic = (options: object = {}) => loadFederation({ dataset: 'synthetic', ...options });

describe('synthetic(alpha, beta)', () => {
  it('gives the same fingerprint for the same seed, and another for another seed', async () => {
    const [a, b, c] = await Promise.all([synthetic({ seed: 3 }), synthetic({ seed: 3 }), synthetic({ seed: 4 })]);
    expect(a.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(b.fingerprint).toBe(a.fingerprint);
    expect(c.fingerprint).not.toBe(a.fingerprint);
  });

  it('draws 30 devices, 60 features and 10 classes by default, nine tenths of each device for training', async () => {
    const federation = await synthetic();
    expect(federation.name).toBe('synthetic-1-1');
    expect(federation.clients).toHaveLength(30);
    expect(federation.shape).toEqual([60]);
    for (const { train, test } of federation.clients) {
      expect(train.x).toHaveLength(train.n * 60);
      expect(train.n).toBe(Math.floor(0.9 * (train.n + test.n)));
      expect([...train.y, ...test.y].every((label) => label >= 0 && label < 10)).toBe(true);
    }
    expect(federation.heldOut.n).toBe(federation.clients.reduce((sum, { test }) => sum + test.n, 0));
  });

  it('gives feature j the variance j^-1.2 within a device', async () => {
    const { clients } = await synthetic({ clients: 60, seed: 1 });
    // Pooled within-device variance, so that the devices' own means do not count.
    const examples = clients.reduce((sum, { train }) => sum + train.n - 1, 0);
    for (const j of [0, 1, 9, 29, 59]) {
      const squares = clients.reduce((sum, client) => sum + squaresAround(client, j), 0);
      const expected = (j + 1) ** -1.2;
      expect(squares / examples / expected).toBeGreaterThan(0.93);
      expect(squares / examples / expected).toBeLessThan(1.07);
    }
  });

  it('draws sizes of 50 + lognormal(4, 2): median near 50 + e^4, tail far above it', async () => {
    const { clients } = await synthetic({ clients: 1000, maximumExamples: 1_000_000, seed: 2 });
    const sizes = clients.map(({ train, test }) => train.n + test.n).sort((a, b) => a - b);
    expect(sizes[0]).toBeGreaterThanOrEqual(50);
    expect(sizes[500]).toBeGreaterThan(90);
    expect(sizes[500]).toBeLessThan(120);
    // The 97.7% point lies two deviations up: 50 + e^8 = 3,031.
    expect(sizes[977]).toBeGreaterThan(1700);
    expect(sizes[977]).toBeLessThan(5500);
  }, 30_000);

  it('caps the largest devices and says so', async () => {
    const { clients, notes } = await synthetic({ clients: 200, maximumExamples: 300 });
    expect(Math.max(...clients.map(({ train, test }) => train.n + test.n))).toBe(300);
    expect(notes.join('\n')).toMatch(/capped \d+ of 200 devices at 300 examples/);
  });

  it('spreads the devices further apart with beta, as sqrt(beta^2 + 1/60)', async () => {
    const near = await synthetic({ clients: 300, alpha: 0, beta: 0 });
    const far = await synthetic({ clients: 300, alpha: 1, beta: 1 });
    // A device's mean over its 60 features is N(B_k, 1/60), B_k ~ N(0, beta).
    expect(deviation(near.clients.map(meanFeature))).toBeCloseTo(Math.sqrt(1 / 60), 1);
    expect(deviation(far.clients.map(meanFeature)) / Math.sqrt(1 + 1 / 60)).toBeGreaterThan(0.88);
    expect(deviation(far.clients.map(meanFeature)) / Math.sqrt(1 + 1 / 60)).toBeLessThan(1.12);
  });

  it('gives all devices the same labels and inputs when iid', async () => {
    const iid = await synthetic({ clients: 100, iid: true });
    const skewed = await synthetic({ clients: 100 });
    expect(iid.name).toBe('synthetic-iid');
    expect(meanLabelDistance(iid.clients)).toBeLessThan(0.3);
    expect(meanLabelDistance(skewed.clients)).toBeGreaterThan(0.5);
  });

  it('refuses options out of range by name', async () => {
    await expect(synthetic({ clients: 0 })).rejects.toThrow(/option-invalid.*clients is 0/);
    await expect(synthetic({ alpha: Number.NaN })).rejects.toThrow(/alpha is NaN/);
  });

  it('stops when its signal is aborted', async () => {
    await expect(loadFederation({ dataset: 'synthetic' }, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});

function squaresAround({ train }: ClientData, feature: number): number {
  let sum = 0;
  for (let i = 0; i < train.n; i++) sum += train.x[i * 60 + feature];
  const mean = sum / train.n;
  let squares = 0;
  for (let i = 0; i < train.n; i++) squares += (train.x[i * 60 + feature] - mean) ** 2;
  return squares;
}

function meanFeature({ train }: ClientData): number {
  return train.x.reduce((sum, value) => sum + value, 0) / train.x.length;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Mean total variation between a device's label shares and everybody's (each device counts the same). */
function meanLabelDistance(clients: readonly ClientData[]): number {
  const shares = clients.map(({ train }) => {
    const counts = new Float64Array(10);
    for (const label of train.y) counts[label] += 1 / train.n;
    return counts;
  });
  const overall = shares.reduce(
    (sum, share) => sum.map((value, c) => value + share[c] / clients.length),
    new Float64Array(10),
  );
  const distances = shares.map((share) => share.reduce((sum, value, c) => sum + Math.abs(value - overall[c]) / 2, 0));
  return distances.reduce((sum, distance) => sum + distance, 0) / clients.length;
}
