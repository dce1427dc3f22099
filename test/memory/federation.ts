import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { writeUpdate } from '../../client/typescript/update-codec.ts';
import { nodeCompressors } from '../../functions/compressors.ts';
import { nodeSha256 } from '../../functions/sha256.ts';
import { FlError } from '../../shared/core/errors.ts';
import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import { type Layout, layoutOf } from '../../shared/core/params.ts';
import { planTiles } from '../../shared/core/plan/tiles.ts';
import { randomFrom } from '../../shared/core/random.ts';
import { type Arrival, admitUpdate } from '../../shared/orchestrator/admit-update.ts';
import { aggregateCell } from '../../shared/orchestrator/aggregate.ts';
import { BufferGauge } from '../../shared/orchestrator/buffer-gauge.ts';
import { freeze } from '../../shared/orchestrator/freeze.ts';
import { issueTicket } from '../../shared/orchestrator/issue-ticket.ts';
import { judgeRound } from '../../shared/orchestrator/judge-round.ts';
import { artifactKey, updateKey } from '../../shared/orchestrator/keys.ts';
import { measureTile } from '../../shared/orchestrator/measure.ts';
import { openUpload } from '../../shared/orchestrator/open-upload.ts';
import type { Ports } from '../../shared/orchestrator/ports.ts';
import { publish } from '../../shared/orchestrator/publish.ts';
import { LayoutCache } from '../../shared/orchestrator/read-object.ts';
import { makeRootUpdate } from '../../shared/orchestrator/root-update.ts';
import { settle } from '../../shared/orchestrator/settle.ts';
import { createTask, startTask } from '../../shared/orchestrator/task-lifecycle.ts';
import { evaluateUpdates } from '../../shared/orchestrator/update-losses.ts';
import type { Evaluator } from '../../shared/ports/evaluator.ts';
import type { RootTrainer } from '../../shared/ports/root-trainer.ts';
import type { DeadlineNote } from '../../shared/ports/workflow.ts';
import { type ArtifactName, artifactNames, type Metrics } from '../../shared/wire/api.ts';
import { type CodecInput, codecSchema } from '../../shared/wire/codec-config.ts';
import { encodeHeldOut } from '../../shared/wire/held-out.ts';
import { encodeSafetensors } from '../../shared/wire/safetensors.ts';
import { type TaskConfigInput, taskConfigSchema } from '../../shared/wire/task-config.ts';
import { executionName, type ManifestInput, type RoundInput } from '../../shared/wire/workflow.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { MemoryRoundStore } from './memory-round-store.ts';
import { MemorySealer } from './memory-sealer.ts';

interface UploadOptions {
  readonly examples?: number;
  readonly bytes?: Uint8Array;
  readonly codec?: CodecInput;
  readonly metrics?: Metrics;
  readonly agent?: string;
}

/** The only statement that the federation takes for signed. */
export const signed = 'a.b.c';

export const taskId = (id: string) => id as TaskId;
export const clientId = (id: string) => id as ClientId;

/** A federation over in-memory ports, driven step by step; time stands still until a test moves it. */
export class MemoryFederation {
  readonly rounds = new MemoryRoundStore();
  readonly models = new MemoryObjectStore();
  readonly updates = new MemoryObjectStore();
  readonly started = new Map<string, RoundInput>();
  /** Executions that failed, timed out or were stopped before they could release their round. */
  readonly died = new Set<string>();
  readonly notes: { note: DeadlineNote; delayMs: number }[] = [];
  readonly recorded: Record<string, number>[] = [];
  readonly layout: Layout;
  nowMs = 1_000_000;
  /** Clients that are shut out. */
  readonly revoked = new Set<string>();
  /** What the server's own training gives: every parameter moves by this much. */
  rootStep = 1;
  /** Epochs of each such training. */
  readonly rootEpochs: number[] = [];
  readonly rootTrainer: RootTrainer = {
    train: async ({ params, plan }) => {
      this.rootEpochs.push(plan.localEpochs);
      return params.map((value) => value + this.rootStep);
    },
  };
  /** A layout in place of the planner's: so many tiles, these levels of groups. */
  planned: { readonly tiles: number; readonly levels: number[] } | undefined;
  /** Loss: the mean distance of the parameters from this target. */
  target = 0;
  readonly evaluator: Evaluator = {
    evaluate: async (_graph, { values }) => ({
      loss: values.reduce((sum, value) => sum + Math.abs(value - this.target), 0) / values.length,
      accuracy: 0,
      examples: 1,
    }),
  };
  readonly ports: Ports;
  readonly layouts: LayoutCache;
  #tickets = 0;

  constructor(
    layout: Layout = layoutOf([
      { name: 'a', shape: [2, 3] },
      { name: 'b', shape: [5] },
    ]),
  ) {
    this.layout = layout;
    this.layouts = new LayoutCache(this.models);
    this.ports = {
      rounds: this.rounds,
      models: this.models,
      updates: this.updates,
      queue: {
        postpone: async (note, delayMs) => {
          this.notes.push({ note, delayMs });
        },
      },
      starter: {
        start: async (input) => {
          const name = executionName(input);
          if (this.started.has(name)) return this.died.has(name) ? 'ended-badly' : 'known';
          this.started.set(name, input);
          return 'started';
        },
      },
      clock: { now: () => this.nowMs },
      secrets: { ticketId: () => String(this.#tickets++).padStart(43, '0') as TicketId },
      compressors: nodeCompressors,
      sealer: new MemorySealer(),
      sha256: nodeSha256,
      clients: {
        isActive: async (client) => !this.revoked.has(client),
        checkStatement: async (_client, jws) => {
          if (jws !== signed) throw new FlError('statement-wrong', 'not the statement that this federation takes');
        },
      },
      gauge: new BufferGauge(),
      telemetry: { record: (_task, metrics) => this.recorded.push({ ...metrics }) },
    };
  }

  /** Creates and starts a task whose initial model is all zeros. */
  async start(
    config: TaskConfigInput,
    initial = new Float32Array(this.layout.size),
    more: readonly ('held-out.safetensors' | 'root.safetensors' | 'encoding.json')[] = [],
  ): Promise<TaskId> {
    const parsed = taskConfigSchema.parse(config);
    const model = encodeSafetensors({ layout: this.layout, values: initial });
    const files: Partial<Record<ArtifactName, Uint8Array>> = {};
    for (const name of artifactNames) {
      const isOptional = name === 'root.safetensors' || name === 'held-out.safetensors' || name === 'encoding.json';
      if (isOptional && !more.includes(name)) continue;
      files[name] = name === 'initial.safetensors' ? model : isOptional ? oneSample : new Uint8Array([1]);
    }
    const artifacts = Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [name, { bytes: bytes.length, sha256: sha256(bytes) }]),
    );
    await createTask(this.ports, { config: parsed, artifacts });
    for (const [name, bytes] of Object.entries(files)) {
      this.models.objects.set(artifactKey(parsed.task, name as ArtifactName), bytes);
    }
    await startTask(this.ports, parsed.task);
    return parsed.task;
  }

  /** A ticket for the client and the bytes of its update, bound and uploaded, not yet announced. */
  async upload(task: TaskId, client: string, values: Float32Array, options: UploadOptions = {}) {
    const { ticket, baseVersion } = await issueTicket(this.ports, task, { client: clientId(client) });
    const examples = options.examples ?? 10;
    const metadata = { task, baseVersion: String(baseVersion), examples: String(examples) };
    const codec = codecSchema.parse(options.codec ?? { kind: 'float32' });
    const sender = { random: randomFrom(client), compressors: nodeCompressors };
    const written = await writeUpdate(codec, this.layout, (into) => into.set(values), metadata, sender);
    const bytes = options.bytes ?? written.bytes;
    const declared = { bytes: bytes.length, sha256: sha256(bytes), examples, metrics: options.metrics ?? {} };
    const { agent } = options;
    const request = { client: clientId(client), ...declared, codec: written.codec, agent, statement: signed };
    await openUpload(this.ports, ticket as TicketId, request);
    const key = updateKey(task, ticket as TicketId);
    await this.updates.createOnce(key, bytes);
    return { ticket: ticket as TicketId, key, etag: this.updates.etagOf(key), bytes: bytes.length };
  }

  /** A whole update: ticket, upload, admission. */
  async contribute(task: TaskId, client: string, values: Float32Array, options: UploadOptions = {}) {
    const arrival = await this.upload(task, client, values, options);
    await admitUpdate(this.ports, this.layouts, arrival);
    return arrival;
  }

  admit(arrival: Arrival): Promise<void> {
    return admitUpdate(this.ports, this.layouts, arrival);
  }

  /** Runs one round as the state machine does. @returns the freeze's outcome */
  async runRound(input: RoundInput): Promise<string> {
    const frozen = await freeze(this.ports, this.layouts, input);
    if (this.planned && frozen.outcome === 'frozen') return this.#runPlanned(frozen.manifestKey, this.planned);
    if (frozen.outcome !== 'frozen') return frozen.outcome;
    const { manifestKey, judged, root, lossCells, measureCells, levels } = frozen;
    if (judged) {
      if (root) await makeRootUpdate(this.ports, this.rootTrainer, { manifestKey });
      for (const cell of upTo(lossCells)) await evaluateUpdates(this.ports, this.evaluator, { manifestKey, cell });
      await Promise.all(upTo(measureCells).map((cell) => measureTile(this.ports, { manifestKey, cell })));
      await judgeRound(this.ports, { manifestKey });
    }
    for (const [level, cells] of levels.entries()) {
      await Promise.all(upTo(cells).map((cell) => aggregateCell(this.ports, { manifestKey, level, cell })));
    }
    const published = await publish(this.ports, { manifestKey });
    await settle(this.ports, { ...published, evaluation: null });
    return 'published';
  }

  /** The planner would not cut so small a round: the manifest is rewritten before anything reads it. */
  async #runPlanned(manifestKey: string, { tiles, levels }: { tiles: number; levels: number[] }): Promise<string> {
    const manifest = JSON.parse(new TextDecoder().decode(this.models.objects.get(manifestKey)));
    manifest.plan = { tiles: planTiles(this.layout.size, tiles), levels };
    expect(manifest.plan.tiles).toHaveLength(tiles);
    this.models.objects.set(manifestKey, new TextEncoder().encode(JSON.stringify(manifest)));
    for (const [level, groups] of levels.entries()) {
      for (const cell of upTo(groups * tiles)) await aggregateCell(this.ports, { manifestKey, level, cell });
    }
    await settle(this.ports, { ...(await publish(this.ports, { manifestKey })), evaluation: null });
    return 'published';
  }

  /** A round up to the point where it would publish: one tile, no rules. */
  async aggregateRound(input: RoundInput): Promise<ManifestInput> {
    const frozen = await freeze(this.ports, this.layouts, input);
    if (frozen.outcome !== 'frozen') throw new Error(frozen.outcome);
    const { manifestKey } = frozen;
    await aggregateCell(this.ports, { manifestKey, level: 0, cell: 0 });
    return { manifestKey };
  }

  /** Runs rounds as they are started until none is left. */
  async runStarted(): Promise<void> {
    for (const [name, input] of this.started) {
      if (this.#ran.has(name)) continue;
      this.#ran.add(name);
      await this.runRound(input);
    }
  }
  readonly #ran = new Set<string>();
}

const oneSample = encodeHeldOut({ x: new Float32Array([1]), y: new Int32Array([0]), n: 1, shape: [1] });

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
