import type { SealKey } from '../wire/seal.ts';

/** Signs with the federation's key, which nobody can take out. */
export interface Sealer {
  /** ECDSA P-256 over the SHA-256 of `message`, 4,096 bytes at most. @returns r and s, 32 bytes each */
  sign(message: Uint8Array): Promise<Uint8Array>;
  publicKey(): Promise<SealKey>;
}

/** SHA-256 of what may not fit into memory, in lower-case hex. */
export type Sha256 = (bytes: AsyncIterable<Uint8Array>) => Promise<string>;
