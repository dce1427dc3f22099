import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import { layoutOf } from '../../shared/core/params.ts';
import { planRound } from '../../shared/core/plan/planner.ts';
import { cellCount, type RoundPlan } from '../../shared/core/plan/round-plan.ts';
import { manifestKey, modelKey, updateKey } from '../../shared/orchestrator/keys.ts';
import type { ModelStore } from '../../shared/ports/object-stores.ts';
import { headerBytes, headerJson } from '../../shared/wire/safetensors.ts';
import type { AggregateInput, Manifest } from '../../shared/wire/workflow.ts';

/** A round up to the moment when its cells may run, and what they must come to. */
export interface SeededRound {
  readonly manifest: Manifest;
  readonly plan: RoundPlan;
  /** In order: a cell needs those of the level before. */
  readonly cells: readonly AggregateInput[];
  /** float32 bytes of all updates. */
  readonly bytes: number;
  /** The next model's parameter, in float64. */
  expected(index: number): number;
}

/** Where a round is put. */
export interface Destination {
  readonly models: Pick<ModelStore, 'createOnce' | 'startParts'>;
  /** @returns the object's ETag */
  putUpdate(key: string, bytes: Uint8Array): Promise<string>;
}

const task = 'bench' as TaskId;
const round = { task, version: 1, attempt: 0 };

/**
 * Writes `count` updates of `parameters` float32, a base model and their manifest. Updates are one random vector, begun
 * at another place each: cheap to make, and no two alike.
 * @param plan the planner's, unless another is to be tried
 */
export async function seedRound(
  destination: Destination,
  { count, parameters, plan = planFor(count, parameters) }: { count: number; parameters: number; plan?: RoundPlan },
): Promise<SeededRound> {
  const layout = layoutOf([{ name: 'weight', shape: [parameters] }]);
  const values = randomValues(parameters);
  const header = headerBytes(headerJson(layout, { task, version: '0' }));
  const file = (shift: number) => {
    const bytes = new Uint8Array(header.length + 4 * parameters);
    bytes.set(header);
    const data = new Uint8Array(values.buffer);
    bytes.set(data.subarray(4 * shift), header.length);
    bytes.set(data.subarray(0, 4 * shift), header.length + data.length - 4 * shift);
    return bytes;
  };
  const baseKey = `tasks/${task}/package/initial.safetensors`;
  await destination.models.createOnce(baseKey, file(0));
  const updates: Manifest['updates'] = [];
  for (let i = 0; i < count; i++) {
    const ticket = `${i}`.padStart(43, '0') as TicketId;
    const key = updateKey(task, ticket);
    updates.push({
      ticket,
      client: `client-${i}` as ClientId,
      sequence: String(i),
      key,
      etag: await destination.putUpdate(key, file(shiftOf(i, parameters))),
      dataOffset: header.length,
      sha256: '0'.repeat(64),
      examples: 1,
      staleness: 0,
      weight: 1 / count,
      metrics: {},
      statement: 'none.was.signed',
    });
  }
  const model = modelKey(round);
  const manifest: Manifest = {
    ...round,
    base: { key: baseKey, dataOffset: header.length, parameters, stateKeys: {} },
    updates,
    references: [],
    stepScale: 1,
    serverOptimizer: { kind: 'sgd', learningRate: 1, momentum: 0 },
    optimizerRound: { step: 0, maxStaleness: 0 },
    plan: { tiles: [...plan.tiles], levels: [...plan.levels] },
    header: headerJson(layout, { task, version: '1' }),
    model: { key: model, uploadId: await destination.models.startParts(model) },
    state: [],
  };
  await destination.models.createOnce(manifestKey(round), new TextEncoder().encode(JSON.stringify(manifest)));
  return {
    manifest,
    plan,
    cells: plan.levels.flatMap((_, level) =>
      Array.from({ length: cellCount(plan, level) }, (_, cell) => ({ manifestKey: manifestKey(round), level, cell })),
    ),
    bytes: 4 * count * parameters,
    expected: (index) =>
      updates.reduce(
        (sum, { weight }, i) => sum + weight * values[(index + shiftOf(i, parameters)) % parameters],
        values[index],
      ),
  };
}

function planFor(updates: number, parameters: number): RoundPlan {
  return planRound({ updates, parameters, bytesPerParameter: 4, stateVectors: 0, groupable: true }).plan;
}

const shiftOf = (update: number, parameters: number) => ((update + 1) * 7_919) % parameters;

/** Uniform in [-1, 1): xorshift32 (Marsaglia 2003), fast enough for ten million values. */
function randomValues(length: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(length);
  let state = 0x9e37_79b9;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[i] = state / 2 ** 31;
  }
  return values;
}
