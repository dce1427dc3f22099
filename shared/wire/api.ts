import { z } from 'zod';
import { measurements } from '../core/aggregator/measurements.ts';
import type { Codec } from '../core/codec/codec.ts';
import { storable } from '../core/storable.ts';
import { codecSchema } from './codec-config.ts';
import { statementSchema } from './identity/statement.ts';
import { judgeSteps } from './judge-steps.ts';
import { sha256Schema } from './names.ts';
import { type TaskConfig, type TrainingPlan, taskConfigSchema } from './task-config.ts';

/** The HTTP API, version 1: what travels between clients or the operator and the functions. */

/** Named numbers that a client reports, e.g. `{loss: 0.3, accuracy: 0.9}`; what a store cannot hold is cut off. */
export const metricsSchema = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,39}$/), z.number().transform(storable))
  .refine((metrics) => Object.keys(metrics).length <= 20, 'at most 20 metrics');
export type Metrics = Readonly<Record<string, number>>;

/** What a client says that it runs on, e.g. `tributary-client/0.1.0 python/3.11`: for people, nothing depends on it. */
export const agentSchema = z.string().regex(/^[ -~]{1,100}$/, 'at most 100 printable ASCII characters');

/** The files of a task's training package that every task has. */
const neededArtifacts = [
  'forward.onnx',
  'evaluate.onnx',
  'train-step.onnx',
  'train-epoch.onnx',
  'initial.safetensors',
] as const;
/**
 * And those that some have: `held-out.safetensors` to evaluate every version, `root.safetensors`, a few labelled examples
 * that the operator trusts, for rules that compare updates with the server's own, `encoding.json`, how clients make examples of their
 * tables (client/typescript/data).
 */
export const artifactNames = [...neededArtifacts, 'held-out.safetensors', 'root.safetensors', 'encoding.json'] as const;
export type ArtifactName = (typeof artifactNames)[number];
/** What a client downloads to train. */
export const clientArtifacts = ['evaluate.onnx', 'train-step.onnx', 'train-epoch.onnx'] as const;
export type ClientArtifact = (typeof clientArtifacts)[number];
/** What it downloads beside, where the task has it. */
export const optionalClientArtifacts = ['encoding.json'] as const;
export type OptionalClientArtifact = (typeof optionalClientArtifacts)[number];

const artifactSchema = z.strictObject({
  bytes: z.number().int().min(1).max(5_000_000_000),
  sha256: sha256Schema,
});
export type Artifact = z.output<typeof artifactSchema>;

/** A task is one item of DynamoDB, which holds 400 KB. */
const mostConfigBytes = 300_000;

/** `POST /v1/tasks` (operator): declares a task; its files are uploaded next, then it is started. */
export const createTaskSchema = z
  .strictObject({
    config: taskConfigSchema,
    artifacts: z
      .partialRecord(z.enum(artifactNames), artifactSchema)
      .refine(
        (artifacts) => neededArtifacts.every((name) => artifacts[name] !== undefined),
        `expected ${neededArtifacts.join(', ')} and optionally held-out.safetensors, root.safetensors, encoding.json`,
      ),
  })
  .superRefine(({ config, artifacts }, context) => {
    if (context.issues.length > 0) return;
    const configBytes = new TextEncoder().encode(JSON.stringify(config)).length;
    if (configBytes > mostConfigBytes) {
      const message = `${configBytes} bytes of JSON, expected at most ${mostConfigBytes}`;
      context.addIssue({ code: 'custom', path: ['config'], message });
    }
    const needs = measurements(judgeSteps(config.aggregation.rules));
    const require = (name: ArtifactName, why: string) => {
      if (!artifacts[name]) context.addIssue({ code: 'custom', path: ['artifacts'], message: `no ${name}: ${why}` });
    };
    if (needs.includes('root')) require('root.safetensors', 'a rule compares updates with one trained on root data');
    if (needs.includes('losses')) require('held-out.safetensors', 'a rule asks for the loss of each update on it');
  });
export type CreateTaskRequest = z.output<typeof createTaskSchema>;
export type CreateTaskInput = z.input<typeof createTaskSchema>;

/** A PUT that the holder may make once: exactly these headers, exactly the declared bytes. */
export interface PresignedPut {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}

export interface CreateTaskResponse {
  readonly task: string;
  readonly uploads: Readonly<Partial<Record<ArtifactName, PresignedPut>>>;
}

/** `POST /v1/tasks/{task}/rollback` (operator). */
export const rollbackSchema = z.strictObject({ version: z.number().int().min(0) });

/** `POST /v1/tasks/{task}/tickets` (client). */
export const ticketRequestSchema = z.strictObject({
  /** A version whose model the client still has. */
  have: z.number().int().min(0).optional(),
});

export type TicketRequest = z.output<typeof ticketRequestSchema>;

/** A file of the training package. */
export interface PresignedGet {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** One client's leave to train from one version and upload one update. */
export interface TicketResponse {
  readonly ticket: string;
  readonly task: string;
  readonly client: string;
  readonly baseVersion: number;
  readonly modelUrl: string;
  /** Presigned GETs of the training package; `sha256` lets a client keep what it has. */
  readonly package: Readonly<
    Record<ClientArtifact, PresignedGet> & Partial<Record<OptionalClientArtifact, PresignedGet>>
  >;
  /** What the client's data is used for, where the operator declared it. */
  readonly purpose?: string;
  readonly plan: TrainingPlan;
  /** How the task would like the update to be written. */
  readonly codec: Codec;
  /**
   * Where the task keeps differences between versions and the client said which one it has: those that lead from it to
   * `baseVersion`, in order, each in files of consecutive parameters.
   */
  readonly deltas?: readonly { readonly version: number; readonly urls: readonly string[] }[];
  readonly expiresAtMs: number;
}

/** `POST /v1/tickets/{ticket}/upload` (client). */
export const uploadRequestSchema = z.strictObject({
  bytes: z.number().int().min(1).max(5_000_000_000),
  sha256: sha256Schema,
  examples: z.number().int().min(1),
  metrics: metricsSchema.default({}),
  /** How the update is written; absent for a plain float32 safetensors file. */
  codec: codecSchema.optional(),
  agent: agentSchema.optional(),
  /** The client's signature over what the update is: a JWS, see `identity/statement.ts`. */
  statement: statementSchema,
});
export type UploadRequest = z.output<typeof uploadRequestSchema>;
export type UploadResponse = PresignedPut;

export const ticketStates = ['issued', 'uploading', 'admitted', 'aggregated', 'quarantined', 'expired'] as const;
export type TicketState = (typeof ticketStates)[number];

/** `GET /v1/tickets/{ticket}` (client). */
export interface TicketStatusResponse {
  readonly ticket: string;
  readonly task: string;
  readonly state: TicketState;
  readonly baseVersion: number;
  /** Where `quarantined`: why, in one line. */
  readonly reason?: string;
  /** Where `aggregated`: the version that holds the update. */
  readonly version?: number;
}

export type TaskState = 'draft' | 'running' | 'completed' | 'stopped' | 'suspended';

/** How many updates of a task are where. Admitted ones are aggregated, buffered, or quarantined at a freeze. */
export interface UpdateCounts {
  readonly issued: number;
  readonly open: number;
  readonly admitted: number;
  readonly aggregated: number;
  readonly quarantined: number;
  readonly expired: number;
  readonly buffered: number;
}

/** `GET /v1/tasks` (operator). */
export interface TaskSummary {
  readonly task: string;
  readonly state: TaskState;
  readonly version: number;
  readonly createdAtMs: number;
  readonly description?: string;
}

/** `GET /v1/tasks/{task}` (operator). */
export interface TaskResponse extends TaskSummary {
  readonly config: TaskConfig;
  readonly stateReason?: string;
  readonly parameters: number;
  readonly updates: UpdateCounts;
  readonly latest?: VersionResponse;
  /** The newest quarantine records, newest first, 50 at most. */
  readonly quarantine: readonly QuarantineRecord[];
}

export interface QuarantineRecord {
  readonly ticket: string;
  readonly client: string;
  readonly reason: string;
  /** One line for a person: what was found and what was expected. */
  readonly detail: string;
  readonly atMs: number;
}

/** `GET /v1/tasks/{task}/versions` gives them all, oldest first; `/versions/{version}` gives one with `modelUrl`. */
export interface VersionResponse {
  readonly version: number;
  /** Where this version came from. */
  readonly origin:
    | { readonly kind: 'initial' }
    | { readonly kind: 'round' }
    | { readonly kind: 'rollback'; readonly to: number };
  readonly publishedAtMs: number;
  readonly updates: number;
  readonly examples: number;
  /** Staleness -> number of updates. */
  readonly staleness: Readonly<Record<string, number>>;
  /** Staleness -> share of the weight: what stale updates really contributed. Absent where no round made the version. */
  readonly effectiveStaleness?: Readonly<Record<string, number>>;
  /** Updates that the round's rules put aside. */
  readonly rejected?: number;
  readonly evaluation?: { readonly loss: number; readonly accuracy: number; readonly examples: number };
  /** Mean of what the clients of this round reported. */
  readonly clientMetrics: Metrics;
  /** The signed record of the version, a compact JWS: wire/seal.ts. */
  readonly seal?: string;
  readonly modelUrl?: string;
  readonly manifestUrl?: string;
  readonly packageUrls?: Readonly<Partial<Record<ArtifactName, string>>>;
  /** Whose updates the round took up, those included that its rules put aside: by name, the first 100. */
  readonly contributors?: readonly Contributor[];
}

export interface Contributor {
  readonly client: string;
  readonly examples: number;
  readonly staleness: number;
  /** What it said that it runs on. */
  readonly agent?: string;
}

/** RFC 9457 problem document: every error of the API. `code` is stable. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly retryAfterMs?: number;
}
