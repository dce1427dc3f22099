import { requireManifest } from '../../shared/orchestrator/manifest.ts';
import type { Ports } from '../../shared/orchestrator/ports.ts';
import { elementRange } from '../../shared/orchestrator/read-object.ts';
import type { AggregateInput } from '../../shared/wire/workflow.ts';

/** Ranges on their way at the same time, as in the weighted sum. */
const atOnce = 8;

/** Asks for the same ranges as the aggregation of a tile and throws their bytes away: what reading alone takes. */
export async function discardTile(
  { models, updates }: Pick<Ports, 'models' | 'updates'>,
  { manifestKey, cell }: AggregateInput,
): Promise<void> {
  const manifest = await requireManifest(models, manifestKey);
  const { start, end } = manifest.plan.tiles[cell];
  const left = [...manifest.updates];
  const readOneAfterTheOther = async () => {
    for (let update = left.pop(); update; update = left.pop()) {
      const stream = await updates.stream(update.key, elementRange(update.dataOffset, start, end), update.etag);
      for await (const _ of stream);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, readOneAfterTheOther));
}
