import { createHash } from 'node:crypto';
import { FlError } from '../../shared/core/errors.ts';
import { type ArtifactName, artifactNames } from '../../shared/wire/api.ts';
import { encodeSafetensors } from '../../shared/wire/safetensors.ts';
import type { TaskConfigInput } from '../../shared/wire/task-config.ts';
import type { BuiltModel } from './model-spec.ts';
import type { OperatorApi } from './operator-api.ts';

/** The operator's own labelled sets, and what the silos agreed on, as files. */
export interface OwnSamples {
  /** Every version is evaluated on these. */
  readonly heldOut?: Uint8Array;
  /** The server trains on these, for rules that compare updates with its own. */
  readonly root?: Uint8Array;
  /** How clients make examples of their tables. */
  readonly encoding?: Uint8Array;
}

/** Declares a task, uploads its training package and starts it. @returns its id */
export async function createTask(
  api: OperatorApi,
  config: TaskConfigInput,
  model: BuiltModel,
  samples: OwnSamples,
  signal?: AbortSignal,
): Promise<string> {
  const files = filesOf(model, samples);
  const artifacts = Object.fromEntries(
    [...files].map(([name, bytes]) => [
      name,
      { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    ]),
  );
  const { task, uploads } = await api.createTask({ config, artifacts }, signal);
  await Promise.all(
    [...files].map(([name, bytes]) => {
      const put = uploads[name];
      if (!put) throw new FlError('answer-malformed', `the server gave no upload for ${name}`);
      return api.put(put, bytes, signal);
    }),
  );
  await api.startTask(task, signal);
  return task;
}

function filesOf(model: BuiltModel, { heldOut, root, encoding }: OwnSamples): Map<ArtifactName, Uint8Array> {
  const { layout, forward, evaluate, trainStep, trainEpoch } = model.package;
  const content = {
    'forward.onnx': forward,
    'evaluate.onnx': evaluate,
    'train-step.onnx': trainStep,
    'train-epoch.onnx': trainEpoch,
    'initial.safetensors': encodeSafetensors({ layout, values: model.initial }),
    'held-out.safetensors': heldOut,
    'root.safetensors': root,
    'encoding.json': encoding,
  } satisfies Record<ArtifactName, Uint8Array | undefined>;
  const files = new Map<ArtifactName, Uint8Array>();
  for (const name of artifactNames) {
    const bytes = content[name];
    if (bytes) files.set(name, bytes);
  }
  return files;
}
