import { z } from 'zod';
import { FlError } from '../core/errors.ts';
import type { ModelStore } from '../ports/object-stores.ts';
import { type Manifest, type VectorLocation, vectorSchema } from '../wire/workflow.ts';
import { cacheKey } from './keys.ts';
import { readJson } from './read-object.ts';
import { updateLocation } from './round-vectors.ts';

/** Each client's latest update, which some asynchronous methods keep; versioned with the model. */
export type UpdateCache = ReadonlyMap<string, { readonly version: number; readonly location: VectorLocation }>;

const cacheSchema = z.record(z.string(), z.strictObject({ version: z.number().int().min(0), location: vectorSchema }));
const maxCacheBytes = 256 * 1024 * 1024;

/** @param key undefined in a task's first round: nothing is cached yet */
export async function readCache(models: ModelStore, key: string | undefined): Promise<UpdateCache> {
  if (key === undefined) return new Map();
  const parsed = cacheSchema.safeParse(await readJson(models, key, maxCacheBytes));
  if (!parsed.success) throw new FlError('cache-malformed', `${key} is no update cache`, { cause: parsed.error });
  return new Map(Object.entries(parsed.data));
}

/** Writes what is cached after the round: a pure function of the manifest. Repeatable. */
export async function writeNextCache(models: ModelStore, manifest: Manifest): Promise<void> {
  if (!manifest.cache) return;
  const next = new Map(await readCache(models, manifest.base.cacheKey));
  for (const update of manifest.updates.toSorted((a, b) => (a.sequence < b.sequence ? -1 : 1))) {
    next.set(update.client, { version: manifest.version, location: updateLocation(update) });
  }
  const { delayLimit = Number.POSITIVE_INFINITY } = manifest.cache;
  for (const [client, { version }] of next) if (manifest.version - version > delayLimit) next.delete(client);
  const bytes = new TextEncoder().encode(JSON.stringify(Object.fromEntries(next)));
  await models.createOnce(cacheKey(manifest), bytes);
}

/**
 * Update files that nobody needs once the version is published: its own, and those that the version before kept, but for
 * those that it keeps itself.
 */
export async function releasedUpdates(
  models: ModelStore,
  own: readonly string[],
  { before, now }: { readonly before: string | undefined; readonly now: string | undefined },
): Promise<readonly string[]> {
  const keys = async (cacheKey: string | undefined) =>
    [...(await readCache(models, cacheKey)).values()].map(({ location }) => location.key);
  const kept = new Set(await keys(now));
  return [...own, ...(await keys(before))].filter((key) => !kept.has(key));
}
