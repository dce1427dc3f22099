import type { TaskRecord } from '../ports/round-store.ts';
import { requireManifest } from './manifest.ts';
import type { Ports } from './ports.ts';

/**
 * Takes the updates of every published version out of the buffer and deletes their bytes, from the first version whose
 * round did not get that far. Repeatable.
 */
export async function consumePublished(
  { rounds, models, updates }: Pick<Ports, 'rounds' | 'models' | 'updates'>,
  { task, settledVersion, version: newest }: Pick<TaskRecord, 'task' | 'settledVersion' | 'version'>,
): Promise<void> {
  for (let version = settledVersion + 1; version <= newest; version++) {
    const record = await rounds.version(task, version);
    const manifest = record?.manifestKey === undefined ? undefined : await requireManifest(models, record.manifestKey);
    await rounds.consume(task, version, manifest?.updates ?? []);
    if (manifest) await updates.remove(manifest.updates.map(({ key }) => key));
  }
}
