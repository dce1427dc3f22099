import { z } from 'zod';
import { FlError } from '../core/errors.ts';
import type { Evaluator } from '../ports/evaluator.ts';
import type { ModelStore } from '../ports/object-stores.ts';
import { parseHeldOut } from '../wire/held-out.ts';
import { parseAs } from '../wire/parse-as.ts';
import { parseSafetensors } from '../wire/safetensors.ts';
import type { CellInput, Manifest } from '../wire/workflow.ts';
import { artifactKey, lossesKey } from './keys.ts';
import { lossCells, requireManifest } from './manifest.ts';
import type { Ports } from './ports.ts';
import { readBytes, readJson } from './read-object.ts';
import { updateLocation } from './round-vectors.ts';
import { openVector } from './vector-reader.ts';

const maxObjectBytes = 2_000_000_000;

/** Losses on the held-out set of the base and of base + update, for the updates of one cell. */
const lossesSchema = z.strictObject({ base: z.number(), updates: z.array(z.number()) });

/**
 * Evaluates one cell's share of a round's updates on the task's held-out set: a loss for each. A loss that is not finite
 * counts as the largest number, for it is as bad as can be. A pure function of the manifest and the package.
 */
export async function evaluateUpdates(
  ports: Pick<Ports, 'models' | 'updates' | 'compressors'>,
  evaluator: Evaluator,
  { manifestKey, cell }: CellInput,
): Promise<void> {
  const { models } = ports;
  const manifest = await requireManifest(models, manifestKey);
  const perCell = manifest.judge?.lossesPerCell ?? 0;
  const updates = manifest.updates.slice(cell * perCell, (cell + 1) * perCell);
  if (updates.length === 0) throw new FlError('cell-unknown', `no updates in cell ${cell}`);
  const read = (key: string) => readBytes(models, key, { maxBytes: maxObjectBytes });
  const [graph, heldOut, model] = await Promise.all([
    read(artifactKey(manifest.task, 'evaluate.onnx')),
    read(artifactKey(manifest.task, 'held-out.safetensors')),
    read(manifest.base.key),
  ]);
  const samples = parseHeldOut(heldOut);
  const { layout, values } = parseSafetensors(model);
  const lossOf = async (params: Float32Array) => {
    const { loss } = await evaluator.evaluate(graph, { layout, values: params }, samples);
    return Number.isFinite(loss) ? loss : Number.MAX_VALUE;
  };
  const losses: number[] = [];
  const whole = { index: 0, start: 0, end: layout.size };
  for (const update of updates) {
    const params = new Float32Array(layout.size);
    const reader = await openVector({ ...ports, layout }, updateLocation(update), whole);
    await reader.fill(params);
    await reader.close();
    for (let i = 0; i < params.length; i++) params[i] += values[i];
    losses.push(await lossOf(params));
  }
  const result: z.output<typeof lossesSchema> = { base: await lossOf(values), updates: losses };
  await models.createOnce(lossesKey(manifest, cell), new TextEncoder().encode(JSON.stringify(result)));
}

/** The losses of the whole round, in manifest order; undefined if no rule asked for them. */
export async function readLosses(
  models: ModelStore,
  manifest: Manifest,
): Promise<{ readonly base: number; readonly updates: Float64Array } | undefined> {
  const cells = lossCells(manifest.updates.length, manifest.judge?.lossesPerCell ?? 0);
  const shares: z.output<typeof lossesSchema>[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const key = lossesKey(manifest, cell);
    const share = parseAs(lossesSchema, await readJson(models, key, maxLossBytes), 'losses-malformed', key);
    const perCell = manifest.judge?.lossesPerCell ?? 0;
    const expected = Math.min(perCell, manifest.updates.length - cell * perCell);
    if (share.updates.length !== expected)
      throw new FlError('losses-malformed', `${key} has ${share.updates.length} losses, expected ${expected}`);
    shares.push(share);
  }
  const [first] = shares;
  return first && { base: first.base, updates: Float64Array.from(shares.flatMap(({ updates }) => updates)) };
}

const maxLossBytes = 1024 * 1024;
