import { z } from 'zod';
import type { JsonObject } from '../iam/json-server.ts';
import { invalidParameter } from './errors.ts';
import { messageAttributesSchema } from './message-attributes.ts';

const QueueUrl = z.string().min(1);
const ReceiptHandle = z.string().min(1).max(2048);
const VisibilityTimeout = z.int().min(0).max(43_200);
const names = z.array(z.string().min(1));
const entryId = z.string().regex(/^[\w-]{1,80}$/);
const message = {
  MessageBody: z.string().min(1),
  DelaySeconds: z.int().min(0).max(900).optional(),
  MessageAttributes: messageAttributesSchema.optional(),
};
/** Counts are checked by hand: SQS has errors of its own for them. */
const batchOf = <T extends z.ZodType>(entry: T) => z.strictObject({ QueueUrl, Entries: z.array(entry) });

/** The requests that the local cloud knows; an unknown parameter is an error. */
export const requests = {
  SendMessage: z.strictObject({ QueueUrl, ...message }),
  SendMessageBatch: batchOf(z.strictObject({ Id: entryId, ...message })),
  ReceiveMessage: z.strictObject({
    QueueUrl,
    MaxNumberOfMessages: z.int().min(1).max(10).optional(),
    VisibilityTimeout: VisibilityTimeout.optional(),
    WaitTimeSeconds: z.int().min(0).max(20).optional(),
    AttributeNames: names.optional(),
    MessageSystemAttributeNames: names.optional(),
    MessageAttributeNames: names.optional(),
  }),
  DeleteMessage: z.strictObject({ QueueUrl, ReceiptHandle }),
  DeleteMessageBatch: batchOf(z.strictObject({ Id: entryId, ReceiptHandle })),
  ChangeMessageVisibility: z.strictObject({ QueueUrl, ReceiptHandle, VisibilityTimeout }),
  ChangeMessageVisibilityBatch: batchOf(z.strictObject({ Id: entryId, ReceiptHandle, VisibilityTimeout })),
  GetQueueUrl: z.strictObject({ QueueName: z.string().min(1), QueueOwnerAWSAccountId: z.string().optional() }),
  GetQueueAttributes: z.strictObject({ QueueUrl, AttributeNames: names.optional() }),
  PurgeQueue: z.strictObject({ QueueUrl }),
} as const;

export type RequestName = keyof typeof requests;
export type RequestOf<N extends RequestName> = z.output<(typeof requests)[N]>;

/** @throws {AwsJsonError} InvalidParameterValue naming the parameter */
export function parseRequest<N extends RequestName>(name: N, input: JsonObject): RequestOf<N>;
export function parseRequest(name: RequestName, input: JsonObject): unknown {
  // SDKs send parameters that were left out as null or not at all.
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
  const parsed = requests[name].safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalidParameter(`${name}: ${z.prettifyError(parsed.error)}`);
}
