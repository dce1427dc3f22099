import { FlError } from '../core/errors.ts';
import type { ModelStore } from '../ports/object-stores.ts';
import { type Manifest, manifestSchema } from '../wire/workflow.ts';
import { readBytes } from './read-object.ts';

const maxManifestBytes = 64 * 1024 * 1024;

/** The manifest under `key`, or undefined if none has been written. */
export async function readManifest(models: ModelStore, key: string): Promise<Manifest | undefined> {
  if (!(await models.head(key))) return undefined;
  const text = new TextDecoder().decode(await readBytes(models, key, { maxBytes: maxManifestBytes }));
  try {
    return manifestSchema.parse(JSON.parse(text));
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

/** Writes the manifest unless another has been written: then that one counts, and this one's uploads are given up. */
export async function writeManifest(models: ModelStore, key: string, manifest: Manifest): Promise<Manifest> {
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  if ((await models.createOnce(key, bytes)) === 'created') return manifest;
  await abortUploads(models, manifest);
  return requireManifest(models, key);
}

/** Gives up a round's unfinished uploads. Repeatable. */
export async function abortUploads(models: ModelStore, { model, state }: Manifest): Promise<void> {
  for (const upload of [model, state]) {
    if (upload) await models.abortParts(upload.key, upload.uploadId);
  }
}
