import { createHash } from 'node:crypto';
import type { Sha256 } from '../shared/ports/sealer.ts';

/** Node's own. */
export const nodeSha256: Sha256 = async (bytes) => {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest('hex');
};
