import { FlError } from '../core/errors.ts';
import type { Layout } from '../core/params.ts';
import { cellCount } from '../core/plan/round-plan.ts';
import type { ModelStore } from '../ports/object-stores.ts';
import { headerBytes, parseHeader } from '../wire/safetensors.ts';
import { parseStrictJson } from '../wire/strict-json.ts';
import { type Manifest, manifestSchema } from '../wire/workflow.ts';
import { lossesKey, measureKey, partialSumKey, rootUpdateKey } from './keys.ts';
import { readBytes } from './read-object.ts';

const maxManifestBytes = 64 * 1024 * 1024;

/** The manifest under `key`, or undefined if none has been written. */
export async function readManifest(models: ModelStore, key: string): Promise<Manifest | undefined> {
  if (!(await models.head(key))) return undefined;
  const bytes = await readBytes(models, key, { maxBytes: maxManifestBytes });
  try {
    return manifestSchema.parse(parseStrictJson(bytes));
  } catch (cause) {
    throw new FlError('manifest-malformed', `${key} is not a manifest`, { cause });
  }
}

/** @throws {FlError} `manifest-missing` */
export async function requireManifest(models: ModelStore, key: string): Promise<Manifest> {
  const manifest = await readManifest(models, key);
  if (!manifest) throw new FlError('manifest-missing', `${key} does not exist`);
  return manifest;
}

/**
 * Writes the manifest unless another has been written: then that one counts, and this one's uploads are given up.
 * @throws {FlError} `manifest-malformed` before anything is written that no step could read
 */
export async function writeManifest(models: ModelStore, key: string, manifest: Manifest): Promise<Manifest> {
  const parsed = manifestSchema.safeParse(manifest);
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  if (parsed.success && (await models.createOnce(key, bytes)) === 'created') return manifest;
  await abortUploads(models, manifest);
  if (!parsed.success) throw new FlError('manifest-malformed', `${key} would be no manifest`, { cause: parsed.error });
  return requireManifest(models, key);
}

/** Gives up what a round that will not publish has begun: its uploads, and what its steps handed to each other. Repeatable. */
export async function giveUpRound(models: ModelStore, manifest: Manifest): Promise<void> {
  await abortUploads(models, manifest);
  await removeLeftovers(models, manifest);
}

async function abortUploads(models: ModelStore, { model, state }: Manifest): Promise<void> {
  for (const { key, uploadId } of [model, ...state]) await models.abortParts(key, uploadId);
}

/** Deletes what the steps of a round handed to each other, of no use once it is published or given up. Repeatable. */
export async function removeLeftovers(models: ModelStore, manifest: Manifest): Promise<void> {
  const { updates, plan, judge } = manifest;
  const keys = plan.levels
    .slice(0, -1)
    .flatMap((_, level) => numbered(cellCount(plan, level), (cell) => partialSumKey(manifest, level, cell)));
  if (judge) {
    keys.push(...plan.tiles.map(({ index }) => measureKey(manifest, index)));
    keys.push(...numbered(lossCells(updates.length, judge.lossesPerCell), (cell) => lossesKey(manifest, cell)));
    if (judge.references.some(({ name }) => name === 'root')) keys.push(rootUpdateKey(manifest));
  }
  if (keys.length > 0) await models.remove(keys);
}

/** Cells that evaluate a round's updates. */
export function lossCells(updates: number, perCell: number): number {
  return perCell === 0 ? 0 : Math.ceil(updates / perCell);
}

function numbered(count: number, key: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => key(index));
}

/** Where each tensor lies in the round's vectors. */
export function layoutOfManifest({ header, base }: Manifest): Layout {
  const bytes = headerBytes(header);
  return parseHeader(bytes, bytes.length + 4 * base.parameters).layout;
}
