import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { FlError } from '../../../shared/core/errors.ts';
import type { Params } from '../../../shared/core/params.ts';
import { withParams } from '../../../shared/onnx/with-params.ts';
import { parseSafetensors } from '../../../shared/wire/safetensors.ts';
import type { OperatorApi } from '../operator-api.ts';

export interface SavedModel {
  readonly params: Params;
  readonly onnxPath: string;
  readonly safetensorsPath: string;
}

/** Downloads a version and writes it as safetensors, byte for byte, and as an ONNX model that holds its parameters. */
export async function saveModel(
  api: OperatorApi,
  { task, version, folder }: { readonly task: string; readonly version: number; readonly folder: string },
  signal?: AbortSignal,
): Promise<SavedModel> {
  const { modelUrl, packageUrls } = await api.version(task, version, signal);
  const forwardUrl = packageUrls?.['forward.onnx'];
  if (!modelUrl || !forwardUrl) throw new FlError('answer-malformed', `version ${version} came without its URLs`);
  const [bytes, forward] = await Promise.all([api.get(modelUrl, signal), api.get(forwardUrl, signal)]);
  const { layout, values } = parseSafetensors(bytes);
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  const onnxPath = join(target, 'model.onnx');
  const safetensorsPath = join(target, 'model.safetensors');
  await Promise.all([writeFile(onnxPath, withParams(forward, layout, values)), writeFile(safetensorsPath, bytes)]);
  return { params: { layout, values }, onnxPath, safetensorsPath };
}
