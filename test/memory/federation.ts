import { createHash } from 'node:crypto';
import type { ClientId, TaskId, TicketId } from '../../shared/core/names.ts';
import { type Layout, layoutOf } from '../../shared/core/params.ts';
import { admitUpdate } from '../../shared/orchestrator/admit-update.ts';
import { aggregateTile } from '../../shared/orchestrator/aggregate.ts';
import { freeze } from '../../shared/orchestrator/freeze.ts';
import { issueTicket } from '../../shared/orchestrator/issue-ticket.ts';
import { artifactKey, updateKey } from '../../shared/orchestrator/keys.ts';
import { openUpload } from '../../shared/orchestrator/open-upload.ts';
import type { Ports } from '../../shared/orchestrator/ports.ts';
import { publish } from '../../shared/orchestrator/publish.ts';
import { LayoutCache } from '../../shared/orchestrator/read-object.ts';
import { settle } from '../../shared/orchestrator/settle.ts';
import { createTask, startTask } from '../../shared/orchestrator/task-lifecycle.ts';
import type { DeadlineNote } from '../../shared/ports/workflow.ts';
import { type ArtifactName, artifactNames } from '../../shared/wire/api.ts';
import { encodeSafetensors } from '../../shared/wire/safetensors.ts';
import { type TaskConfigInput, taskConfigSchema } from '../../shared/wire/task-config.ts';
import { executionName, type RoundInput } from '../../shared/wire/workflow.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { MemoryRoundStore } from './memory-round-store.ts';

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
      telemetry: { record: (_task, metrics) => this.recorded.push({ ...metrics }) },
    };
  }

  /** Creates and starts a task whose initial model is all zeros. */
  async start(config: TaskConfigInput, initial = new Float32Array(this.layout.size)): Promise<TaskId> {
    const parsed = taskConfigSchema.parse(config);
    const model = encodeSafetensors({ layout: this.layout, values: initial });
    const files: Partial<Record<ArtifactName, Uint8Array>> = {};
    for (const name of artifactNames) {
      if (name === 'held-out.safetensors') continue;
      files[name] = name === 'initial.safetensors' ? model : new Uint8Array([1]);
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
  async upload(
    task: TaskId,
    client: string,
    values: Float32Array,
    options: { examples?: number; bytes?: Uint8Array } = {},
  ) {
    const { ticket, baseVersion } = await issueTicket(this.ports, task, clientId(client));
    const examples = options.examples ?? 10;
    const metadata = { task, baseVersion: String(baseVersion), codec: 'float32', examples: String(examples) };
    const bytes = options.bytes ?? encodeSafetensors({ layout: this.layout, values, metadata });
    const request = { client: clientId(client), bytes: bytes.length, sha256: sha256(bytes), examples, metrics: {} };
    await openUpload(this.ports, ticket as TicketId, request);
    const key = updateKey(task, ticket as TicketId);
    await this.updates.createOnce(key, bytes);
    return { ticket: ticket as TicketId, key, etag: this.updates.etagOf(key), bytes: bytes.length };
  }

  /** A whole update: ticket, upload, admission. */
  async contribute(
    task: TaskId,
    client: string,
    values: Float32Array,
    options: { examples?: number; bytes?: Uint8Array } = {},
  ) {
    const arrival = await this.upload(task, client, values, options);
    await admitUpdate(this.ports, this.layouts, arrival);
    return arrival;
  }

  /** Runs one round as the state machine does. @returns the freeze's outcome */
  async runRound(input: RoundInput): Promise<string> {
    const frozen = await freeze(this.ports, this.layouts, input);
    if (frozen.outcome !== 'frozen') return frozen.outcome;
    const { manifestKey } = frozen;
    const parts = await Promise.all(frozen.tiles.map(({ tile }) => aggregateTile(this.ports, manifestKey, tile)));
    const published = await publish(this.ports, { manifestKey, parts });
    await settle(this.ports, { ...published, evaluation: null });
    return 'published';
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

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
