import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FlError } from '../../shared/core/errors.ts';
import { layoutOf, sameLayout } from '../../shared/core/params.ts';
import type { TrainingPackage } from '../../shared/onnx/training/training-package.ts';
import { trainingOf } from '../../shared/onnx/training/training-spec.ts';
import { parseSafetensors } from '../../shared/wire/safetensors.ts';
import { manifestName, manifestSchema, type PackageFile, type PackageManifest, packageFiles } from './manifest.ts';
import { sha256 } from './write-package.ts';

const maxManifestBytes = 16 * 1024 * 1024;

/**
 * Reads a training package and checks every file against the manifest.
 * @throws {FlError} `package-missing`, `package-malformed`, or `package-corrupt` if a file is not what the manifest says
 */
export async function readTrainingPackage(folder: string): Promise<TrainingPackage> {
  const manifest = await readManifest(folder);
  const layout = layoutOf(manifest.layout);
  const declared = { tensors: manifest.layout, size: manifest.parameters };
  if (!sameLayout(layout, declared)) throw malformed(folder, 'its layout is not sorted by name without gaps');
  const read = async (name: PackageFile) => {
    const path = join(folder, name);
    const { bytes, sha256: expected } = manifest.files[name];
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile()) throw new FlError('package-missing', `${path} is missing`);
    if (found.size !== bytes) throw corrupt(path, `${found.size} bytes, the manifest says ${bytes}`);
    const content = new Uint8Array(await readFile(path));
    if (sha256(content) !== expected) throw corrupt(path, 'its SHA-256 is not the one in the manifest');
    return content;
  };
  const [forward, evaluate, trainStep, trainEpoch, initial] = await Promise.all(packageFiles.map(read));
  const start = parseSafetensors(initial);
  if (!sameLayout(start.layout, layout))
    throw malformed(folder, 'initial.safetensors has another layout than the manifest');
  const { exampleShape, outputs, opset, training } = manifest;
  return {
    layout,
    initial: start.values,
    forward,
    evaluate,
    trainStep,
    trainEpoch,
    training: trainingOf(training),
    exampleShape,
    outputs,
    opset,
  };
}

async function readManifest(folder: string): Promise<PackageManifest> {
  const path = join(folder, manifestName);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile())
    throw new FlError('package-missing', `${folder} is no training package: it has no ${manifestName}`);
  if (found.size > maxManifestBytes) throw malformed(folder, `${manifestName} has ${found.size} bytes`);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new FlError('package-malformed', `${path} is no JSON`, { cause });
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(folder, `${manifestName}: ${issue.path.join('.')}: ${issue.message}`);
}

function malformed(folder: string, what: string): FlError {
  return new FlError('package-malformed', `${folder}: ${what}`);
}

function corrupt(path: string, what: string): FlError {
  return new FlError('package-corrupt', `${path}: ${what}`);
}
