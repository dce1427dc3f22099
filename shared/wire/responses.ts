import { z } from 'zod';
import {
  artifactNames,
  type CreateTaskResponse,
  clientArtifacts,
  metricsSchema,
  optionalClientArtifacts,
  type PresignedGet,
  type PresignedPut,
  type Problem,
  type QuarantineRecord,
  type TaskResponse,
  type TaskSummary,
  type TicketResponse,
  type TicketStatusResponse,
  ticketStates,
  type UpdateCounts,
  type VersionResponse,
} from './api.ts';
import { codecSchema } from './codec-config.ts';
import type { DeadLetter, DeadLettersMoved, DeadLettersResponse } from './dead-letters.ts';
import type {
  ClientResponse,
  EnrolResponse,
  ErasureResponse,
  InviteResponse,
  ListClientsResponse,
} from './identity/api.ts';
import { keyIdSchema } from './identity/key-schemas.ts';
import { base64url32Pattern } from './identity/keys.ts';
import { clientIdSchema, sha256Schema, taskIdSchema, ticketIdSchema } from './names.ts';
import { type ProblemCode, problemStatuses } from './problem.ts';
import { taskConfigSchema, trainingPlanSchema } from './task-config.ts';
import { evaluationSchema } from './workflow.ts';

/**
 * What the functions of the HTTP API answer, as schemas for docs/openapi.json. Nobody parses answers with them: functions are
 * typed, clients check by hand. An answer may come to say more, so they are open.
 */

/** A schema that knows every field of a type, the optional ones too. */
type SchemaOf<T> = z.ZodType<T> & { readonly shape: Readonly<Record<keyof T, z.ZodType>> };

const whole = z.number().int().min(0);
const atMs = whole.describe('Milliseconds since 1970.');
const url = z.url();

export const presignedPutSchema = z
  .object({
    url,
    headers: z.record(z.string(), z.string()).describe('Exactly these are to be sent: they are signed.'),
    expiresAtMs: atMs,
  })
  .describe('A PUT that the holder may make once, of exactly the declared bytes.') satisfies SchemaOf<PresignedPut>;

export const presignedGetSchema = z
  .object({ url, bytes: z.number().int().min(1), sha256: sha256Schema })
  .describe('A file of the training package.') satisfies SchemaOf<PresignedGet>;

export const createTaskResponseSchema = z.object({
  task: taskIdSchema,
  uploads: z.partialRecord(z.enum(artifactNames), presignedPutSchema),
}) satisfies SchemaOf<CreateTaskResponse>;

const packageSchema = z.object({
  ...eachOf(clientArtifacts, presignedGetSchema),
  ...eachOf(optionalClientArtifacts, presignedGetSchema.optional()),
});

export const ticketResponseSchema = z
  .object({
    ticket: ticketIdSchema,
    task: taskIdSchema,
    client: clientIdSchema,
    baseVersion: whole,
    modelUrl: url.describe('A presigned GET of the version, a safetensors file.'),
    package: packageSchema.describe('Presigned GETs of the training package; `sha256` lets a client keep what it has.'),
    purpose: z.string().optional().describe("What the client's data is used for, where the operator declared it."),
    plan: trainingPlanSchema,
    codec: codecSchema.describe('How the task would like the update to be written. Plain float32 is always taken.'),
    deltas: z
      .array(z.object({ version: whole, urls: z.array(url) }))
      .optional()
      .describe('Differences from the version that the client has to `baseVersion`, in order, in files of parameters.'),
    expiresAtMs: atMs,
  })
  .describe(
    "One client's leave to train from one version and to upload one update.",
  ) satisfies SchemaOf<TicketResponse>;

export const ticketStatusResponseSchema = z.object({
  ticket: ticketIdSchema,
  task: taskIdSchema,
  state: z.enum(ticketStates),
  baseVersion: whole,
  reason: z.string().optional().describe('Why, where the update is in quarantine or the ticket has ended.'),
  version: whole.optional().describe('Where `aggregated`: the version that holds the update.'),
}) satisfies SchemaOf<TicketStatusResponse>;

const taskStateSchema = z.enum(['draft', 'running', 'completed', 'stopped', 'suspended']);

export const taskSummarySchema = z.object({
  task: taskIdSchema,
  state: taskStateSchema,
  version: z.number().int().min(-1).describe('The newest version; -1 in a draft.'),
  createdAtMs: atMs,
  description: z.string().optional(),
}) satisfies SchemaOf<TaskSummary>;

const updateCountsSchema = z.object({
  issued: whole.describe('Tickets.'),
  open: whole,
  admitted: whole,
  aggregated: whole,
  quarantined: whole,
  expired: whole,
  buffered: whole,
}) satisfies SchemaOf<UpdateCounts>;

const quarantineRecordSchema = z.object({
  ticket: ticketIdSchema,
  client: clientIdSchema,
  reason: z.string().describe('A stable code.'),
  detail: z.string(),
  atMs,
}) satisfies SchemaOf<QuarantineRecord>;

const contributorSchema = z.object({
  client: clientIdSchema,
  examples: whole,
  staleness: whole,
  agent: z.string().optional(),
});

export const versionResponseSchema = z.object({
  version: whole,
  origin: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('initial') }),
    z.object({ kind: z.literal('round') }),
    z.object({ kind: z.literal('rollback'), to: whole }),
  ]),
  publishedAtMs: atMs,
  updates: whole,
  examples: whole,
  staleness: z.record(z.string(), whole).describe('Staleness to number of updates.'),
  effectiveStaleness: z.record(z.string(), z.number()).optional().describe('Staleness to share of the weight.'),
  rejected: whole.optional().describe("Updates that the round's rules put aside."),
  evaluation: evaluationSchema.optional(),
  clientMetrics: metricsSchema.describe('Mean of what the clients of the round reported.'),
  seal: z.string().optional().describe('The signed record of the version, a compact JWS: docs/decisions/0011.'),
  modelUrl: url.optional(),
  manifestUrl: url.optional(),
  packageUrls: z.partialRecord(z.enum(artifactNames), url).optional(),
  contributors: z.array(contributorSchema).optional().describe('By name, the first 100.'),
}) satisfies SchemaOf<VersionResponse>;

export const taskResponseSchema = taskSummarySchema.extend({
  config: taskConfigSchema,
  stateReason: z.string().optional(),
  parameters: whole,
  updates: updateCountsSchema,
  latest: versionResponseSchema.optional(),
  quarantine: z.array(quarantineRecordSchema).describe('The newest 50, newest first.'),
}) satisfies SchemaOf<TaskResponse>;

export const inviteResponseSchema = z.object({
  invitations: z.array(
    z.object({
      client: clientIdSchema,
      code: z.string().regex(base64url32Pattern).describe('Shown once: the federation keeps its SHA-256 only.'),
      expiresAtMs: atMs,
    }),
  ),
}) satisfies SchemaOf<InviteResponse>;

export const enrolResponseSchema = z.object({
  client: clientIdSchema,
  kid: keyIdSchema,
}) satisfies SchemaOf<EnrolResponse>;

export const clientResponseSchema = z.object({
  client: clientIdSchema,
  state: z.enum(['active', 'revoked']),
  reason: z.string().optional(),
  enrolledAtMs: atMs,
  keys: z
    .array(z.object({ kid: keyIdSchema, x: z.string().regex(base64url32Pattern), addedAtMs: atMs }))
    .describe('The last is the one that signs.'),
}) satisfies SchemaOf<ClientResponse>;

export const listClientsResponseSchema = z.object({
  clients: z.array(clientResponseSchema),
  next: clientIdSchema.optional().describe('More follow after this name.'),
}) satisfies SchemaOf<ListClientsResponse>;

export const erasureResponseSchema = z.object({
  client: clientIdSchema,
  erasedAtMs: atMs,
  updatesDeleted: whole,
  pending: whole.describe('Updates in a buffer: erase again when they have found their version.'),
  versions: z
    .array(z.object({ task: taskIdSchema, version: whole }))
    .describe('Versions that learned from the client.'),
}) satisfies SchemaOf<ErasureResponse>;

const problemCodes = [...(Object.keys(problemStatuses) as ProblemCode[]), 'internal'] as const;

export const problemSchema = z
  .object({
    type: z.string().describe('`urn:tributary:problem:` and the code.'),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().describe('One line for a person.'),
    code: z.enum(problemCodes).describe('Stable, for programs. Codes may be added.'),
    retryAfterMs: whole.optional().describe('Milliseconds to wait; `Retry-After` says the same in seconds.'),
  })
  .describe('A problem document, RFC 9457.') satisfies SchemaOf<Problem>;

function eachOf<Name extends string, Schema extends z.ZodType>(names: readonly Name[], schema: Schema) {
  // Object.fromEntries forgets the literal keys.
  return Object.fromEntries(names.map((name) => [name, schema])) as Record<Name, Schema>;
}

const deadLetterSchema = z.object({
  id: z.string(),
  kind: z.enum(['upload', 'deadline', 'unreadable']),
  task: z.string().optional(),
  ticket: z.string().optional(),
  sentAtMs: atMs,
  firstFailedAtMs: atMs.optional(),
  lastFailedAtMs: atMs.optional(),
  tries: whole.optional(),
  reason: z.string().describe('Code of the last error; `not-recorded` if the function had no time to say.'),
  detail: z.string(),
  body: z.string().describe('Its first 1,000 characters.'),
}) satisfies SchemaOf<DeadLetter>;

export const deadLettersResponseSchema = z.object({
  deadLetters: z.array(deadLetterSchema).describe('Oldest first, 100 at most.'),
  total: whole.describe('About how many there are.'),
}) satisfies SchemaOf<DeadLettersResponse>;

export const deadLettersMovedSchema = z.object({
  moved: z.array(z.string()),
  missing: z.array(z.string()).describe('Of those asked for by id.'),
  more: z.boolean().describe('Time ran out before the end of the queue: ask again.'),
}) satisfies SchemaOf<DeadLettersMoved>;
