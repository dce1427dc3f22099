import type { EnvKey } from '../functions/env.ts';

/** What one function is and what it may do. Its role gets exactly this. */
export interface FunctionSpec {
  /** File in `functions/`, without `.lambda.ts`. */
  readonly entry: string;
  readonly about: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** onnxruntime-node ships with it: x86_64, because it crashes on Lambda's arm64 (onnxruntime #10038). */
  readonly onnxRuntime?: true;
  /** Reads whole updates: holds V8's young generation to 1 MiB, so that what the network leaves behind goes at once. */
  readonly streams?: true;
  readonly environment: readonly EnvKey[];
  readonly may: Grants;
}

/** Actions without their service's prefix, on the one resource of that kind. */
export interface Grants {
  readonly table?: readonly TableAction[];
  /** On `tasks/*`. */
  readonly models?: readonly ObjectAction[];
  /** To tell a missing object from a forbidden one, S3 wants the right to list. */
  readonly listModels?: true;
  /** On `updates/*`. */
  readonly updates?: readonly ObjectAction[];
  readonly listUpdates?: true;
  /** Start rounds, and leave notes in the arrivals queue for their deadlines. */
  readonly startRounds?: true;
  /** On the key that seals versions. */
  readonly sealKey?: readonly ('Sign' | 'GetPublicKey')[];
  /** On the dead-letter queue; and to send its messages back to the arrivals queue. */
  readonly deadLetters?: readonly QueueAction[];
}

type TableAction = 'ConditionCheckItem' | 'GetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem';
type QueueAction = 'ReceiveMessage' | 'DeleteMessage' | 'ChangeMessageVisibility' | 'GetQueueAttributes';
type ObjectAction = 'GetObject' | 'PutObject' | 'DeleteObject' | 'AbortMultipartUpload' | 'ListMultipartUploadParts';

const startsRounds = ['arrivalsQueueUrl', 'roundMachineArn'] as const;

export const functionSpecs = {
  AuthorizeClient: {
    entry: 'authorize-client',
    about: 'Takes the proof that a request of a client carries',
    memoryMb: 512,
    timeoutSeconds: 10,
    environment: ['table'],
    may: { table: ['GetItem', 'PutItem', 'UpdateItem'] },
  },
  Enrol: {
    entry: 'enrol',
    about: 'Registers the key of an invited client',
    memoryMb: 256,
    timeoutSeconds: 10,
    environment: ['table'],
    may: { table: ['GetItem', 'PutItem', 'UpdateItem'] },
  },
  RotateKey: {
    entry: 'rotate-key',
    about: "Replaces a client's key",
    memoryMb: 256,
    timeoutSeconds: 10,
    environment: ['table'],
    may: { table: ['GetItem', 'PutItem'] },
  },
  OperateClients: {
    entry: 'operate-clients',
    about: 'Invites, lists, revokes and erases clients',
    memoryMb: 512,
    timeoutSeconds: 29,
    environment: ['table', 'updatesBucket'],
    may: { table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'], updates: ['DeleteObject'] },
  },
  IssueTicket: {
    entry: 'issue-ticket',
    about: 'Gives a client leave to train from the newest version',
    memoryMb: 512,
    timeoutSeconds: 15,
    environment: ['table', 'modelsBucket'],
    may: {
      table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'],
      models: ['GetObject'],
    },
  },
  OpenUpload: {
    entry: 'open-upload',
    about: 'Presigns the upload of one update',
    memoryMb: 512,
    timeoutSeconds: 15,
    environment: ['table', 'updatesBucket'],
    may: { table: ['GetItem', 'UpdateItem'], updates: ['PutObject'] },
  },
  TicketStatus: {
    entry: 'ticket-status',
    about: 'Tells a client what became of its update',
    memoryMb: 256,
    timeoutSeconds: 10,
    environment: ['table'],
    may: { table: ['GetItem'] },
  },
  OperateTasks: {
    entry: 'operate-tasks',
    about: 'Creates, starts, stops and rolls back tasks',
    memoryMb: 512,
    timeoutSeconds: 29,
    environment: ['table', 'modelsBucket', 'updatesBucket', ...startsRounds],
    may: {
      table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
      models: ['GetObject', 'PutObject', 'DeleteObject'],
      listModels: true,
      updates: ['DeleteObject'],
      startRounds: true,
    },
  },
  ShowTasks: {
    entry: 'show-tasks',
    about: 'Shows tasks and versions',
    memoryMb: 512,
    timeoutSeconds: 15,
    environment: ['table', 'modelsBucket', 'sealKeyArn'],
    may: {
      table: ['GetItem', 'Query', 'UpdateItem', 'DeleteItem'],
      models: ['GetObject'],
      sealKey: ['GetPublicKey'],
    },
  },
  DeadLetters: {
    entry: 'dead-letters',
    about: 'Lists, redrives and drops arrivals that could not be admitted',
    memoryMb: 512,
    timeoutSeconds: 29,
    environment: ['table', 'arrivalsQueueUrl', 'deadLettersQueueUrl'],
    may: {
      table: ['GetItem'],
      deadLetters: ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes'],
    },
  },
  AdmitUpdate: {
    entry: 'admit-update',
    about: 'Checks an uploaded update and admits it to the buffer',
    memoryMb: 1024,
    timeoutSeconds: 60,
    streams: true,
    environment: ['table', 'modelsBucket', 'updatesBucket', ...startsRounds],
    may: {
      table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
      models: ['GetObject'],
      updates: ['GetObject', 'DeleteObject'],
      listUpdates: true,
      startRounds: true,
    },
  },
  Freeze: {
    entry: 'freeze',
    about: 'Round: claims updates and writes the manifest',
    memoryMb: 512,
    timeoutSeconds: 120,
    environment: ['table', 'modelsBucket', 'updatesBucket', ...startsRounds],
    may: {
      table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
      models: ['GetObject', 'PutObject', 'AbortMultipartUpload', 'DeleteObject'],
      listModels: true,
      updates: ['GetObject', 'DeleteObject'],
      listUpdates: true,
      startRounds: true,
    },
  },
  Root: {
    entry: 'root',
    about: "Round: the server's own update from the root data that some rules compare with",
    memoryMb: 1769,
    timeoutSeconds: 300,
    onnxRuntime: true,
    environment: ['table', 'modelsBucket'],
    may: { table: ['GetItem'], models: ['GetObject', 'PutObject'], listModels: true },
  },
  Losses: {
    entry: 'losses',
    about: 'Round: the loss of updates on the held-out set, for rules that ask for it',
    memoryMb: 1769,
    timeoutSeconds: 300,
    onnxRuntime: true,
    environment: ['table', 'modelsBucket', 'updatesBucket'],
    may: { table: ['GetItem'], models: ['GetObject', 'PutObject'], listModels: true, updates: ['GetObject'] },
  },
  Measure: {
    entry: 'measure',
    about: "Round: one tile's share of norms, inner products and sketches of the updates",
    memoryMb: 1769,
    timeoutSeconds: 300,
    streams: true,
    environment: ['modelsBucket', 'updatesBucket'],
    may: { models: ['GetObject', 'PutObject'], listModels: true, updates: ['GetObject'] },
  },
  Judge: {
    entry: 'judge',
    about: 'Round: one weight for each update, and which ones are put aside',
    memoryMb: 1769,
    timeoutSeconds: 300,
    environment: ['modelsBucket'],
    may: { models: ['GetObject', 'PutObject'], listModels: true },
  },
  Aggregate: {
    entry: 'aggregate',
    about: 'Round: one tile of the next model, or a partial sum of it',
    memoryMb: 1769,
    timeoutSeconds: 300,
    streams: true,
    environment: ['modelsBucket', 'updatesBucket'],
    may: { models: ['GetObject', 'PutObject'], listModels: true, updates: ['GetObject'] },
  },
  Publish: {
    entry: 'publish',
    about: 'Round: joins the tiles and moves the version pointer',
    memoryMb: 512,
    timeoutSeconds: 120,
    environment: ['table', 'modelsBucket'],
    may: {
      table: ['GetItem', 'PutItem', 'UpdateItem'],
      models: ['GetObject', 'PutObject', 'ListMultipartUploadParts'],
      listModels: true,
    },
  },
  Evaluate: {
    entry: 'evaluate',
    about: 'Round: the new version on the held-out set',
    memoryMb: 1769,
    timeoutSeconds: 300,
    onnxRuntime: true,
    environment: ['table', 'modelsBucket'],
    may: { table: ['GetItem'], models: ['GetObject'] },
  },
  Seal: {
    entry: 'seal',
    about: 'Round: signs the record of the new version',
    memoryMb: 1769,
    timeoutSeconds: 300,
    environment: ['table', 'modelsBucket', 'sealKeyArn'],
    may: { table: ['GetItem', 'UpdateItem'], models: ['GetObject'], sealKey: ['Sign'] },
  },
  Settle: {
    entry: 'settle',
    about: 'Round: empties the buffer of what was aggregated, decides what comes next',
    memoryMb: 512,
    timeoutSeconds: 120,
    environment: ['table', 'modelsBucket', 'updatesBucket', ...startsRounds],
    may: {
      table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
      models: ['GetObject', 'DeleteObject'],
      listModels: true,
      updates: ['DeleteObject'],
      startRounds: true,
    },
  },
  Release: {
    entry: 'release',
    about: 'Round: cleans up after a failure',
    memoryMb: 512,
    timeoutSeconds: 120,
    environment: ['table', 'modelsBucket', 'updatesBucket', ...startsRounds],
    may: {
      table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
      models: ['GetObject', 'AbortMultipartUpload', 'DeleteObject'],
      listModels: true,
      updates: ['DeleteObject'],
      startRounds: true,
    },
  },
} as const satisfies Record<string, FunctionSpec>;

export type FunctionName = keyof typeof functionSpecs;
export const functionNames = Object.keys(functionSpecs) as FunctionName[];
