import { createHash, type Hash } from 'node:crypto';
import type { Samples } from '../../shared/core/samples.ts';
import type { ClientData } from './federation.ts';

/** SHA-256 (hex) over shape, class names, and every client's examples in order: the data and their split. */
export function fingerprintOf(data: {
  readonly shape: readonly number[];
  readonly labels: readonly string[];
  readonly clients: readonly ClientData[];
  readonly heldOut: Samples;
}): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(['tributary-federation-1', data.shape, data.labels]));
  for (const { id, train, test } of data.clients) {
    hash.update(JSON.stringify([id, train.n, test.n]));
    addSamples(hash, train);
    addSamples(hash, test);
  }
  hash.update(JSON.stringify(['held-out', data.heldOut.n]));
  addSamples(hash, data.heldOut);
  return hash.digest('hex');
}

function addSamples(hash: Hash, { x, y }: Samples): void {
  hash.update(new Uint8Array(x.buffer, x.byteOffset, x.byteLength));
  hash.update(new Uint8Array(y.buffer, y.byteOffset, y.byteLength));
}
