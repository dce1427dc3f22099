import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Sealer } from '../../shared/ports/sealer.ts';
import { sealKeySchema } from '../../shared/wire/seal.ts';

/** A key in memory. Signatures are never the same twice, as KMS's. */
export class MemorySealer implements Sealer {
  readonly #privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return new Uint8Array(sign('sha256', message, { key: this.#privateKey, dsaEncoding: 'ieee-p1363' }));
  }

  async publicKey() {
    return sealKeySchema.parse(createPublicKey(this.#privateKey).export({ format: 'jwk' }));
  }
}
