import { FlError } from '../../shared/core/errors.ts';
import { type Layout, layoutOf, sameLayout } from '../../shared/core/params.ts';
import { shown } from '../../shared/core/shown.ts';
import { defaultMaxBytes } from '../../shared/onnx/read-proto.ts';
import type { TrainingPackage } from '../../shared/onnx/training/training-package.ts';
import { trainingOf } from '../../shared/onnx/training/training-spec.ts';
import { maxHeaderBytes, parseSafetensors } from '../../shared/wire/safetensors.ts';
import { parseStrictJson } from '../../shared/wire/strict-json.ts';
import { manifestName, manifestSchema, type PackageFile, type PackageManifest, packageFiles } from './manifest.ts';
import { type PackageSource, packageSource } from './package-source.ts';
import { sha256 } from './write-package.ts';

/** Float32 values that fit one buffer of every platform. */
const mostParameters = 2 ** 29;
const maxManifestBytes = 16 * 1024 * 1024;

/**
 * Reads a training package, a folder or a ZIP archive of one, and checks every file against the manifest.
 * @throws {FlError} `package-missing`, `package-malformed`, or `package-corrupt` if a file is not what the manifest says
 */
export async function readTrainingPackage(path: string): Promise<TrainingPackage> {
  const source = await packageSource(path);
  const manifest = await readManifest(path, source);
  const layout = layoutIn(path, manifest);
  const declared = { tensors: manifest.layout, size: manifest.parameters };
  if (!sameLayout(layout, declared)) throw malformed(path, 'its layout is not sorted by name without gaps');
  // All sizes before the first content: an archive may promise gigabytes.
  for (const name of packageFiles) {
    const { bytes } = manifest.files[name];
    const found = await source.sizeOf(name);
    if (found === undefined) throw new FlError('package-missing', `${source.pathOf(name)} is missing`);
    if (found !== bytes) throw corrupt(source.pathOf(name), `${found} bytes, the manifest says ${bytes}`);
    const most = name === 'initial.safetensors' ? 4 * layout.size + maxHeaderBytes + 8 : defaultMaxBytes;
    if (bytes > most) throw malformed(path, `${name} has ${bytes} bytes, expected at most ${most}`);
  }
  const read = async (name: PackageFile) => {
    const { sha256: expected } = manifest.files[name];
    const content = await source.read(name);
    if (sha256(content) !== expected) throw corrupt(source.pathOf(name), 'its SHA-256 is not the one in the manifest');
    return content;
  };
  const [forward, evaluate, trainStep, trainEpoch, initial] = await Promise.all(packageFiles.map(read));
  const start = parseSafetensors(initial);
  if (!sameLayout(start.layout, layout))
    throw malformed(path, 'initial.safetensors has another layout than the manifest');
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

async function readManifest(path: string, source: PackageSource): Promise<PackageManifest> {
  const bytes = await source.sizeOf(manifestName);
  if (bytes === undefined)
    throw new FlError('package-missing', `${path} is no training package: it has no ${manifestName}`);
  if (bytes > maxManifestBytes) throw malformed(path, `${manifestName} has ${bytes} bytes`);
  let content: unknown;
  try {
    content = parseStrictJson(await source.read(manifestName));
  } catch (cause) {
    if (cause instanceof FlError) throw cause;
    throw new FlError('package-malformed', `${source.pathOf(manifestName)} is no JSON`, { cause });
  }
  const parsed = manifestSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw malformed(path, `${manifestName}: ${issue.path.join('.').slice(0, 100)}: ${issue.message.slice(0, 200)}`);
}

function layoutIn(path: string, manifest: PackageManifest): Layout {
  let layout: Layout;
  try {
    layout = layoutOf(manifest.layout);
  } catch (cause) {
    throw new FlError('package-malformed', `${path}: ${shown(String(cause))}`, { cause });
  }
  if (layout.size > mostParameters) throw malformed(path, `${layout.size} parameters, at most ${mostParameters}`);
  return layout;
}

function malformed(path: string, what: string): FlError {
  return new FlError('package-malformed', `${path}: ${what}`);
}

function corrupt(path: string, what: string): FlError {
  return new FlError('package-corrupt', `${path}: ${what}`);
}
