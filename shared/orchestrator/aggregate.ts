import type { Arena } from '../core/aggregator/kernels/arena.ts';
import type { Kernels } from '../core/aggregator/kernels/kernels.ts';
import { FlError } from '../core/errors.ts';
import { firstNonFinite } from '../core/finite.ts';
import { type Cell, cellAt, groupInputs } from '../core/plan/round-plan.ts';
import type { Tile } from '../core/plan/tiles.ts';
import { serverSlots, serverStep } from '../core/server-optimizer/registry.ts';
import type { ServerInput, ServerOutput } from '../core/server-optimizer/server-optimizer.ts';
import { stalenessShare } from '../core/staleness/staleness-share.ts';
import type { ModelStore } from '../ports/object-stores.ts';
import type { AggregateInput, Manifest, WeightedVector } from '../wire/workflow.ts';
import { ByteReader } from './byte-reader.ts';
import { combineColumns, sumVectors } from './combine.ts';
import { withKernels } from './kernel-pool.ts';
import { partialSumKey } from './keys.ts';
import { requireManifest } from './manifest.ts';
import { Parts } from './parts.ts';
import { calibrationState } from './plan-method.ts';
import type { Ports } from './ports.ts';
import { elementRange } from './read-object.ts';
import { countedOf, sumOf, vectorSource } from './round-vectors.ts';
import { writeStatistics } from './running-statistics.ts';
import type { VectorSource } from './vector-reader.ts';
import { readVerdict } from './verdict.ts';
import { deltaResidual, writeDelta } from './version-delta.ts';

type AggregatePorts = Pick<Ports, 'models' | 'updates' | 'compressors'>;

/**
 * One cell of a round: a tile of the model and a group of its inputs. A cell of the last level has them all and makes
 * the next model's tile of them; a cell of an earlier one writes its partial sum. A pure function of the manifest and
 * the verdict: run again, it writes the same bytes.
 */
export async function aggregateCell(ports: AggregatePorts, input: AggregateInput): Promise<void> {
  const { models } = ports;
  const manifest = await requireManifest(models, input.manifestKey);
  const cell = cellOf(manifest, input);
  const tile = manifest.plan.tiles[cell.tile];
  await withKernels(async (kernels) => {
    const sum = await combine(vectorSource(ports, manifest, kernels), kernels, manifest, cell, tile);
    if (cell.level === manifest.plan.levels.length - 1) {
      await finishTile(ports, kernels.arena, manifest, tile, sum);
    } else {
      const bytes = kernels.arena.bytes(sum, 4 * (tile.end - tile.start));
      await models.createOnce(partialSumKey(manifest, cell.level, input.cell), bytes);
    }
  });
}

function cellOf({ plan }: Manifest, { level, cell }: AggregateInput): Cell {
  try {
    return cellAt(plan, level, cell);
  } catch (cause) {
    throw new FlError('cell-unknown', `no cell ${cell} on level ${level}`, { cause });
  }
}

/** @returns pointer to the tile's `[tile size]` float32 */
async function combine(
  source: VectorSource,
  kernels: Kernels,
  manifest: Manifest,
  { level, tile: tileIndex, group }: Cell,
  tile: Tile,
): Promise<number> {
  const { levels } = manifest.plan;
  if (level > 0) {
    const { start, end } = groupInputs(levels[level - 1], levels[level], group);
    const sums = Array.from({ length: end - start }, (_, i): WeightedVector => {
      const cell = tileIndex * levels[level - 1] + start + i;
      const key = partialSumKey(manifest, level - 1, cell);
      // A partial sum holds the tile alone: its data begins where the tile does.
      return { location: { store: 'models', key, dataOffset: -4 * tile.start }, weight: 1 };
    });
    return sumVectors(source, kernels, sums, tile);
  }
  const verdict = manifest.judge ? await readVerdict(source.models, manifest) : undefined;
  if (verdict && verdict.coordinate.kind !== 'mean') {
    return combineColumns(source, kernels, manifest, verdict.rows, verdict.coordinate, tile);
  }
  const terms = sumOf(manifest, verdict);
  const { start, end } = groupInputs(terms.length, levels[0], group);
  return sumVectors(source, kernels, terms.slice(start, end), tile);
}

/**
 * The method's direction, the server optimizer's step, and the parts of the next model and of its state.
 * @param sumPointer to the tile's `[tile size]` float32
 */
async function finishTile(
  ports: Pick<Ports, 'models' | 'compressors'>,
  arena: Arena,
  manifest: Manifest,
  tile: Tile,
  sumPointer: number,
): Promise<void> {
  const { models } = ports;
  const { base, serverOptimizer, optimizerRound, calibration, stepScale } = manifest;
  const parts = new Parts(manifest, tile);
  const read = async (key: string, room?: Uint8Array<ArrayBuffer>) => {
    const values = parts.make(room);
    await readTile(ports, base.dataOffset, key, tile, values);
    return values;
  };
  // Beside the sum: memory that the next tile uses again.
  const values = await read(base.key, arena.bytes(arena.reserve(parts.bytes), parts.bytes));
  const sum = arena.float32(sumPointer, tile.end - tile.start);
  const stateOf = async (name: string) => (name in base.stateKeys ? read(base.stateKeys[name]) : undefined);
  const state = new Map<string, Float32Array>();
  let delta: Float32Array = sum;
  if (calibration) {
    const kept = (await stateOf(calibrationState)) ?? sum.map(() => 0);
    const { direction, next } = calibrated(sum, kept, calibration);
    delta = direction;
    state.set(calibrationState, next);
  }
  if (stepScale !== 1) delta = delta.map((value) => stepScale * value);
  const names = serverSlots(serverOptimizer);
  const slots = await Promise.all(names.map(stateOf));
  // In place, unless somebody asks for the difference afterwards.
  const into = manifest.statistics || manifest.download ? new Float32Array(values.length) : values;
  const next = stepInBlocks(serverOptimizer, { base: values, delta, slots, round: optimizerRound }, into);
  const bad = firstNonFinite(next.params);
  if (bad >= 0) {
    const value = `parameter ${tile.start + bad} would become ${next.params[bad]}`;
    throw new FlError('model-not-finite', `${value}: lower serverOptimizer.learningRate or the clients' learning rate`);
  }
  for (const [i, name] of names.entries()) state.set(name, next.slots[i]);
  let { params } = next;
  if (manifest.statistics) {
    const shares = await weightByStaleness(models, manifest);
    await writeStatistics(ports, manifest, tile, { params, base: values, sum, shares });
  }
  if (manifest.download) {
    const residual = (await stateOf(deltaResidual)) ?? values.map(() => 0);
    const delta = await writeDelta(ports, manifest, tile, {
      codec: manifest.download,
      base: values,
      wanted: params,
      residual,
    });
    params = delta.params;
    state.set(deltaResidual, delta.residual);
  }
  const upload = ({ key, uploadId }: Manifest['model'], part: Float32Array) =>
    models.putPart(key, uploadId, tile.index + 1, parts.bytesOf(part));
  await upload(manifest.model, params);
  for (const part of manifest.state) {
    const written = state.get(part.name);
    if (!written) throw new FlError('manifest-malformed', `nothing makes the state vector "${part.name}"`);
    await upload(part, written);
  }
}

/** Elements that the server optimizer is given at a time. */
const stepElements = 65_536;

/**
 * `serverStep` on a tile, with no more memory beside it than a block takes. Each element depends on that element alone, so
 * the bytes are the same. Kept slots are overwritten.
 * @param into `[tile size]` for the next parameters; may be the base
 */
function stepInBlocks(
  config: Manifest['serverOptimizer'],
  input: ServerInput & { readonly delta: Float32Array },
  into: Float32Array,
): ServerOutput {
  const slots = input.slots.map((slot) => slot ?? new Float32Array(into.length));
  for (let start = 0; start < into.length; start += stepElements) {
    const block = (vector: Float32Array) => vector.subarray(start, start + stepElements);
    const next = serverStep(config, {
      base: block(input.base),
      delta: block(input.delta),
      slots: input.slots.map((slot) => slot && block(slot)),
      round: input.round,
    });
    into.set(next.params, start);
    for (const [i, slot] of slots.entries()) slot.set(next.slots[i], start);
  }
  return { params: into, slots };
}

/** Staleness -> what the updates of that staleness count for in the sum. */
async function weightByStaleness(models: ModelStore, manifest: Manifest): Promise<ReadonlyMap<number, number>> {
  const verdict = manifest.judge && (await readVerdict(models, manifest));
  const counted = countedOf(manifest, verdict);
  if (!counted.some((weight) => weight > 0)) return new Map();
  return new Map(stalenessShare(manifest.updates, counted).map(({ staleness, share }) => [staleness, share]));
}

/** Fills `[tile size]` from a model or state file. */
async function readTile(
  { models }: Pick<Ports, 'models'>,
  dataOffset: number,
  key: string,
  tile: Tile,
  into: Float32Array,
): Promise<void> {
  const reader = new ByteReader(await models.stream(key, elementRange(dataOffset, tile.start, tile.end)), key);
  await reader.fill(new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
  await reader.close();
}

/** @returns the step's direction and the direction kept for the next version, `[tile size]` each */
function calibrated(
  sum: Float32Array,
  state: Float32Array,
  { next, direction }: NonNullable<Manifest['calibration']>,
): { readonly direction: Float32Array; readonly next: Float32Array } {
  return {
    direction: sum.map((value, i) => direction.state * state[i] + direction.sum * value),
    next: sum.map((value, i) => next.state * state[i] + next.sum * value),
  };
}
