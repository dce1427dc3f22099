import { FlError } from '../core/errors.ts';
import type { ByteReader } from './byte-reader.ts';
import { withKernels } from './kernel-pool.ts';

/** Values that are looked at together: they stay in the processor's cache. */
const blockElements = 65_536;

/** Reads `count` float32 and looks at each. @throws {FlError} `non-finite` naming the first NaN or infinity */
export function requireFinite(data: ByteReader, count: number): Promise<void> {
  return withKernels(async ({ arena, reductions }) => {
    const block = arena.reserve(4 * blockElements);
    for (let position = 0; position < count; position += blockElements) {
      const length = Math.min(blockElements, count - position);
      await data.fill(arena.bytes(block, 4 * length));
      const bad = reductions.firstNonFinite(block, length);
      if (bad === undefined) continue;
      throw new FlError('non-finite', `value ${position + bad} is ${arena.float32(block, length)[bad]}`);
    }
  });
}
