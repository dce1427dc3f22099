import { z } from 'zod';
import { clientIdSchema, taskIdSchema, ticketIdSchema } from '../../shared/wire/names.ts';
import type { ProblemCode } from '../../shared/wire/problem.ts';
import type { RouteName } from '../../shared/wire/routes.ts';
import type { AnsweredName, SentName } from './schemas.ts';

/** What one route takes and gives; its path and who may ask are in shared/wire/routes.ts. */
export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly request?: SentName;
  /** The body may be left out. */
  readonly bodyIsOptional?: true;
  readonly status: 200 | 201;
  readonly response: AnsweredName;
  /** Codes of its own; `problemsOf` in document.ts adds those of every route. */
  readonly problems: readonly ProblemCode[];
}

/** Values in paths. */
export const pathParameters: Readonly<Record<string, z.ZodType>> = {
  task: taskIdSchema,
  ticket: ticketIdSchema,
  client: clientIdSchema,
  version: z.number().int().min(0),
};

/** Values in queries, none of which must be there. */
export const queryParameters: Readonly<
  Partial<Record<RouteName, Readonly<Record<string, { schema: z.ZodType; description: string }>>>>
> = {
  listClients: {
    after: { schema: clientIdSchema, description: 'The `next` of the page before; a page has 200 clients.' },
  },
};

const wrongProof = ['proof-malformed', 'proof-forged', 'proof-stale', 'proof-foreign'] as const;
const unpublished = ['task-unknown', 'task-not-started'] as const;

export const operations: Readonly<Record<RouteName, Operation>> = {
  enrol: {
    summary: "Register a client's key with an invitation's code",
    description:
      'The proof is made with the key that the body brings. The same code with the same key answers the same again; with another key it is refused.',
    request: 'EnrolRequest',
    status: 201,
    response: 'EnrolResponse',
    problems: [
      ...wrongProof,
      'proof-digest',
      'invitation-unknown',
      'invitation-expired',
      'invitation-used',
      'key-replaced',
    ],
  },
  rotateKey: {
    summary: "Replace the client's key",
    description:
      'The proof in the header is made with the old key. `proof` in the body is a second one for the same request, by the new key, with the digest of no bytes. From then on the old key is refused.',
    request: 'RotateRequest',
    status: 201,
    response: 'EnrolResponse',
    problems: [...wrongProof, 'client-revoked', 'key-replaced', 'keys-too-many'],
  },
  issueTicket: {
    summary: 'Ask for leave to train from the newest version',
    description:
      'A 429 is no error: the task has all the clients that it wants for now. Ask again after `retryAfterMs`, not earlier. Who asks again before it has declared an update gets the same ticket, or one for the newest version. A 410 says that the task has ended.',
    request: 'TicketRequest',
    status: 201,
    response: 'TicketResponse',
    problems: [...unpublished, 'task-ended', 'cohort-full', 'client-busy', 'client-paced'],
  },
  openUpload: {
    summary: 'Declare an update and get a URL to store it at',
    description:
      'Binds the ticket to these bytes. Asked again with the same body it gives a fresh URL. Then PUT exactly the declared bytes to `url` with exactly `headers`; 412 there means that they are stored already.',
    request: 'UploadRequest',
    status: 200,
    response: 'PresignedPut',
    problems: [
      ...unpublished,
      'ticket-unknown',
      'ticket-foreign',
      'ticket-expired',
      'ticket-used',
      'update-too-large',
      'examples-too-many',
      'codec-refused',
      'statement-wrong',
      'client-revoked',
    ],
  },
  ticketStatus: {
    summary: 'What became of a ticket and its update',
    status: 200,
    response: 'TicketStatus',
    problems: ['ticket-unknown', 'ticket-foreign'],
  },
  createTask: {
    summary: 'Declare a task and get URLs to store its training package at',
    description: 'Asked again with the same body it gives fresh URLs while the task is a draft.',
    request: 'CreateTaskRequest',
    status: 200,
    response: 'CreateTaskResponse',
    problems: ['task-exists'],
  },
  startTask: {
    summary: 'Publish the initial model as version 0, or resume a stopped or suspended task',
    status: 200,
    response: 'TaskState',
    problems: ['task-unknown', 'artifact-missing', 'safetensors-malformed', 'non-finite', 'task-ended'],
  },
  stopTask: {
    summary: 'Stop giving tickets; a round under way still publishes',
    status: 200,
    response: 'TaskState',
    problems: ['task-unknown', 'task-ended'],
  },
  rollback: {
    summary: 'Publish an earlier version again, as the next one',
    request: 'RollbackRequest',
    status: 200,
    response: 'RollbackResponse',
    problems: [...unpublished, 'version-unknown'],
  },
  listTasks: { summary: 'List the tasks', status: 200, response: 'Tasks', problems: [] },
  showTask: {
    summary: 'Show a task: configuration, state, counts, newest version, quarantine',
    status: 200,
    response: 'Task',
    problems: ['task-unknown'],
  },
  listVersions: {
    summary: "List a task's versions, oldest first",
    status: 200,
    response: 'Versions',
    problems: ['task-unknown'],
  },
  showSealKey: {
    summary: 'The public key that seals versions',
    status: 200,
    response: 'SealKey',
    problems: [],
  },
  showVersion: {
    summary: 'Show one version, with URLs to fetch it and who contributed',
    status: 200,
    response: 'Version',
    problems: ['task-unknown', 'version-unknown'],
  },
  invite: {
    summary: 'Make a one-time code for each client',
    description: 'A code for the client that nobody has used is void from then on.',
    request: 'InviteRequest',
    status: 200,
    response: 'InviteResponse',
    problems: [],
  },
  listClients: { summary: 'List clients by name, a page at a time', status: 200, response: 'Clients', problems: [] },
  showClient: { summary: 'Show a client and its keys', status: 200, response: 'Client', problems: ['client-unknown'] },
  eraseClient: {
    summary: 'Delete what is stored of a client',
    status: 200,
    response: 'Erasure',
    problems: ['client-unknown'],
  },
  revokeClient: {
    summary: 'Shut a client out',
    request: 'RevokeRequest',
    bodyIsOptional: true,
    status: 200,
    response: 'RevokeResponse',
    problems: ['client-unknown'],
  },
  listDeadLetters: {
    summary: 'List what could not be admitted, and why',
    description: 'Leaves everything where it is.',
    status: 200,
    response: 'DeadLetters',
    problems: [],
  },
  redriveDeadLetters: {
    summary: 'Send dead letters back to be admitted',
    request: 'DeadLetterChoice',
    status: 200,
    response: 'DeadLettersMoved',
    problems: [],
  },
  dropDeadLetters: {
    summary: 'Delete dead letters for good',
    request: 'DeadLetterChoice',
    status: 200,
    response: 'DeadLettersMoved',
    problems: [],
  },
};
