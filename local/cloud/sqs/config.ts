import { z } from 'zod';

/** A queue of the template: its name, its ARN and the resolved Properties of its `AWS::SQS::Queue`. */
export interface QueueConfig {
  readonly name: string;
  readonly arn: string;
  readonly properties: unknown;
}

/** A queue's settings, defaults filled in. */
export interface QueueSettings {
  readonly name: string;
  readonly arn: string;
  readonly delayMs: number;
  readonly visibilityMs: number;
  readonly retentionMs: number;
  readonly waitMs: number;
  readonly maxMessageBytes: number;
  readonly redrive: { readonly deadLetterArn: string; readonly maxReceiveCount: number } | undefined;
}

const harmless = z.unknown().optional();
const integer = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const redriveSchema = z.strictObject({
  deadLetterTargetArn: z.string().startsWith('arn:'),
  maxReceiveCount: integer(1, 1000),
});

const propertiesSchema = z.strictObject({
  DelaySeconds: integer(0, 900).default(0),
  VisibilityTimeout: integer(0, 43_200).default(30),
  MessageRetentionPeriod: integer(60, 1_209_600).default(345_600),
  ReceiveMessageWaitTimeSeconds: integer(0, 20).default(0),
  MaximumMessageSize: integer(1024, 1_048_576).default(1_048_576),
  RedrivePolicy: z.preprocess(parsedIfText, redriveSchema.optional()),
  FifoQueue: z.literal([false, 'false'], 'FIFO queues are not supported').optional(),
  QueueName: harmless,
  RedriveAllowPolicy: harmless,
  SqsManagedSseEnabled: harmless,
  KmsMasterKeyId: harmless,
  KmsDataKeyReusePeriodSeconds: harmless,
  Tags: harmless,
});

/**
 * Reads the queues of the template.
 * @throws {RangeError} naming the queue and a property that is wrong or not known, or a dead-letter queue that is missing
 */
export function parseQueues(queues: readonly QueueConfig[]): QueueSettings[] {
  const settings = queues.map(parseQueue);
  const names = new Set<string>();
  for (const { name, redrive } of settings) {
    if (names.has(name)) throw new RangeError(`queue ${name} appears twice`);
    names.add(name);
    if (redrive && !settings.some(({ arn }) => arn === redrive.deadLetterArn)) {
      throw new RangeError(`queue ${name}: its dead-letter queue ${redrive.deadLetterArn} does not exist`);
    }
  }
  return settings;
}

function parseQueue({ name, arn, properties }: QueueConfig): QueueSettings {
  if (!/^[\w-]{1,80}$/.test(name)) throw new RangeError(`queue name "${name}" is not 1 to 80 of A-Z a-z 0-9 _ -`);
  const parsed = propertiesSchema.safeParse(properties ?? {});
  if (!parsed.success) throw new RangeError(`queue ${name}: ${z.prettifyError(parsed.error)}`);
  const { RedrivePolicy } = parsed.data;
  return {
    name,
    arn,
    delayMs: parsed.data.DelaySeconds * 1000,
    visibilityMs: parsed.data.VisibilityTimeout * 1000,
    retentionMs: parsed.data.MessageRetentionPeriod * 1000,
    waitMs: parsed.data.ReceiveMessageWaitTimeSeconds * 1000,
    maxMessageBytes: parsed.data.MaximumMessageSize,
    redrive: RedrivePolicy && {
      deadLetterArn: RedrivePolicy.deadLetterTargetArn,
      maxReceiveCount: RedrivePolicy.maxReceiveCount,
    },
  };
}

function parsedIfText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
