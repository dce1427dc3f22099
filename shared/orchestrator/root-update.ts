import { FlError } from '../core/errors.ts';
import { rootEpochs } from '../core/root-epochs.ts';
import type { RootTrainer } from '../ports/root-trainer.ts';
import type { ArtifactName } from '../wire/api.ts';
import { parseHeldOut } from '../wire/held-out.ts';
import { parseSafetensors } from '../wire/safetensors.ts';
import type { ManifestInput } from '../wire/workflow.ts';
import { artifactKey, rootUpdateKey } from './keys.ts';
import { requireManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { readBytes } from './read-object.ts';
import { requireTask } from './require-task.ts';

const maxObjectBytes = 2_000_000_000;

/**
 * The server's own update: it trains from the round's base on the task's small root data set, for about as many steps as a
 * client. A pure function of the manifest and the package. Written as bare float32, little-endian.
 * @throws {FlError} `artifact-missing` if the task has no root data
 */
export async function makeRootUpdate(
  { rounds, models }: Pick<Ports, 'rounds' | 'models'>,
  trainer: RootTrainer,
  { manifestKey }: ManifestInput,
): Promise<void> {
  const manifest = await requireManifest(models, manifestKey);
  const { task, base, version, updates } = manifest;
  if (await models.head(rootUpdateKey(manifest))) return;
  const { artifacts, config } = await requireTask({ rounds }, task);
  const read = (name: ArtifactName) => {
    if (!artifacts[name]) throw new FlError('artifact-missing', `task "${task}" has no ${name}`);
    return readBytes(models, artifactKey(task, name), { maxBytes: maxObjectBytes });
  };
  const [trainStep, trainEpoch, evaluate, root, model] = await Promise.all([
    read('train-step.onnx'),
    read('train-epoch.onnx'),
    read('evaluate.onnx'),
    read('root.safetensors'),
    readBytes(models, base.key, { maxBytes: maxObjectBytes }),
  ]);
  const params = parseSafetensors(model);
  const samples = parseHeldOut(root);
  const examples = updates.map((update) => update.examples);
  const trained = await trainer.train({
    package: { layout: params.layout, trainStep, trainEpoch, evaluate },
    params: params.values,
    samples,
    plan: { ...config.training, localEpochs: rootEpochs(config.training.localEpochs, samples.n, examples) },
    seed: `${config.training.seed}/root/${version}`,
  });
  const update = trained.map((value, i) => value - params.values[i]);
  await models.createOnce(rootUpdateKey(manifest), new Uint8Array(update.buffer));
}
