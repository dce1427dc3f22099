import { z } from 'zod';
import {
  createTaskSchema,
  metricsSchema,
  rollbackSchema,
  ticketRequestSchema,
  uploadRequestSchema,
} from '../../shared/wire/api.ts';
import { codecSchema } from '../../shared/wire/codec-config.ts';
import { deadLetterChoiceSchema } from '../../shared/wire/dead-letters.ts';
import { enrolSchema, inviteSchema, revokeSchema, rotateSchema } from '../../shared/wire/identity/api.ts';
import { publicKeySchema } from '../../shared/wire/identity/key-schemas.ts';
import {
  clientResponseSchema,
  createTaskResponseSchema,
  deadLettersMovedSchema,
  deadLettersResponseSchema,
  enrolResponseSchema,
  erasureResponseSchema,
  inviteResponseSchema,
  listClientsResponseSchema,
  presignedGetSchema,
  presignedPutSchema,
  problemSchema,
  taskResponseSchema,
  taskSummarySchema,
  ticketResponseSchema,
  ticketStatusResponseSchema,
  versionResponseSchema,
} from '../../shared/wire/responses.ts';
import { sealKeySchema } from '../../shared/wire/seal.ts';
import { taskConfigSchema, trainingPlanSchema } from '../../shared/wire/task-config.ts';

/** What clients and operators send: what may be left out has its default. */
const sent = {
  EnrolRequest: enrolSchema,
  RotateRequest: rotateSchema,
  TicketRequest: ticketRequestSchema,
  UploadRequest: uploadRequestSchema,
  CreateTaskRequest: createTaskSchema,
  RollbackRequest: rollbackSchema,
  InviteRequest: inviteSchema,
  RevokeRequest: revokeSchema,
  DeadLetterChoice: deadLetterChoiceSchema,
  PublicKey: publicKeySchema,
  TaskConfigInput: taskConfigSchema,
  CodecInput: codecSchema,
};

/** What the functions answer: everything is there. */
const answered = {
  EnrolResponse: enrolResponseSchema,
  TicketResponse: ticketResponseSchema,
  TicketStatus: ticketStatusResponseSchema,
  PresignedPut: presignedPutSchema,
  PresignedGet: presignedGetSchema,
  CreateTaskResponse: createTaskResponseSchema,
  TaskState: z.object({ task: z.string(), state: z.enum(['running', 'stopped']) }),
  RollbackResponse: z.object({ task: z.string(), version: z.number().int().min(0) }),
  DeadLetters: deadLettersResponseSchema,
  DeadLettersMoved: deadLettersMovedSchema,
  Tasks: z.object({ tasks: z.array(taskSummarySchema) }),
  TaskSummary: taskSummarySchema,
  Task: taskResponseSchema,
  Versions: z.object({ versions: z.array(versionResponseSchema) }),
  Version: versionResponseSchema,
  SealKey: sealKeySchema,
  InviteResponse: inviteResponseSchema,
  Clients: listClientsResponseSchema,
  Client: clientResponseSchema,
  RevokeResponse: z.object({ client: z.string(), state: z.literal('revoked'), reason: z.string() }),
  Erasure: erasureResponseSchema,
  TaskConfig: taskConfigSchema,
  TrainingPlan: trainingPlanSchema,
  Codec: codecSchema,
  Metrics: metricsSchema,
  Problem: problemSchema,
};

export type SentName = keyof typeof sent;
export type AnsweredName = keyof typeof answered;
export type Json = { readonly [name: string]: unknown };

export const refTo = (name: SentName | AnsweredName | 'Message') => ({ $ref: `#/components/schemas/${name}` });

/** Every schema of the API by name, as JSON Schema 2020-12. */
export function componentSchemas(): Json {
  return { ...jsonSchemas(sent, 'input'), ...jsonSchemas(answered, 'output') };
}

/** One value of a path or query, which takes no component of its own. */
export function inlineSchema(schema: z.ZodType): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return json;
}

function jsonSchemas(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // An answer may come to say more, unless its schema is strict.
      if (def.type === 'object' && !def.catchall) delete jsonSchema.additionalProperties;
      // All that our transforms do to what is answered is to brand or to round it.
      if (io === 'output' && def.type === 'pipe' && def.out._zod.def.type === 'transform') {
        const { $schema: _, ...given } = z.toJSONSchema(def.in, { io });
        Object.assign(jsonSchema, given);
      }
    },
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}
