import { createHash } from 'node:crypto';
import { AwsJsonError, type JsonObject } from '../iam/json-server.ts';
import type { Broker, Channel, NewMessage } from './broker.ts';
import { invalidParameter, sqsError } from './errors.ts';
import { md5OfAttributes, selectAttributes, sizeOfAttributes } from './message-attributes.ts';
import type { Message } from './queue.ts';
import { queueAttributes } from './queue-attributes.ts';
import { parseReceiptHandle, receiptHandle } from './receipt.ts';
import { parseRequest, type RequestName, type RequestOf } from './requests.ts';

/** What one call may use. `channel` finds a queue by its URL and checks the caller's permission. */
export interface Desk {
  readonly broker: Broker;
  readonly senderId: string;
  readonly signal: AbortSignal;
  /** @throws {AwsJsonError} QueueDoesNotExist @throws {AccessDenied} */
  channel(queueUrl: string, action: string): Channel;
  /** @throws as `channel` */
  channelNamed(name: string, action: string): Channel;
  urlOf(channel: Channel): string;
}

type Operation = (desk: Desk, input: JsonObject) => Promise<JsonObject> | JsonObject;

const maxBatchBytes = 1024 * 1024;
/** What SQS allows in a body: the characters of XML 1.0. */
const legalBody = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;

const operations = {
  SendMessage(desk, input) {
    const { QueueUrl, ...entry } = parseRequest('SendMessage', input);
    const channel = desk.channel(QueueUrl, 'sqs:SendMessage');
    const message = newMessage(desk, channel, entry);
    const [id] = desk.broker.send(channel, [message]);
    return sendReply(id, message);
  },
  SendMessageBatch(desk, input) {
    const { QueueUrl, Entries } = parseRequest('SendMessageBatch', input);
    const channel = desk.channel(QueueUrl, 'sqs:SendMessage');
    if (Entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > maxBatchBytes) {
      throw sqsError('BatchRequestTooLong', `The messages of a batch may have ${maxBatchBytes} bytes together`);
    }
    return eachEntry(Entries, (entry) => {
      const message = newMessage(desk, channel, entry);
      const [id] = desk.broker.send(channel, [message]);
      return sendReply(id, message);
    });
  },
  async ReceiveMessage(desk, input) {
    const request = parseRequest('ReceiveMessage', input);
    const channel = desk.channel(request.QueueUrl, 'sqs:ReceiveMessage');
    const { settings } = channel;
    const messages = await desk.broker.receive(channel, {
      count: request.MaxNumberOfMessages ?? 1,
      visibilityMs: secondsOr(request.VisibilityTimeout, settings.visibilityMs),
      waitMs: secondsOr(request.WaitTimeSeconds, settings.waitMs),
      signal: desk.signal,
    });
    return messages.length === 0
      ? {}
      : { Messages: messages.map((message) => describe(settings.name, message, request)) };
  },
  DeleteMessage(desk, input) {
    const { QueueUrl, ReceiptHandle } = parseRequest('DeleteMessage', input);
    remove(desk, desk.channel(QueueUrl, 'sqs:DeleteMessage'), ReceiptHandle);
    return {};
  },
  DeleteMessageBatch(desk, input) {
    const { QueueUrl, Entries } = parseRequest('DeleteMessageBatch', input);
    const channel = desk.channel(QueueUrl, 'sqs:DeleteMessage');
    return eachEntry(Entries, ({ ReceiptHandle }) => remove(desk, channel, ReceiptHandle));
  },
  ChangeMessageVisibility(desk, input) {
    const { QueueUrl, ...entry } = parseRequest('ChangeMessageVisibility', input);
    postpone(desk, desk.channel(QueueUrl, 'sqs:ChangeMessageVisibility'), entry);
    return {};
  },
  ChangeMessageVisibilityBatch(desk, input) {
    const { QueueUrl, Entries } = parseRequest('ChangeMessageVisibilityBatch', input);
    const channel = desk.channel(QueueUrl, 'sqs:ChangeMessageVisibility');
    return eachEntry(Entries, (entry) => postpone(desk, channel, entry));
  },
  GetQueueUrl(desk, input) {
    const { QueueName } = parseRequest('GetQueueUrl', input);
    return { QueueUrl: desk.urlOf(desk.channelNamed(QueueName, 'sqs:GetQueueUrl')) };
  },
  GetQueueAttributes(desk, input) {
    const { QueueUrl, AttributeNames = [] } = parseRequest('GetQueueAttributes', input);
    const channel = desk.channel(QueueUrl, 'sqs:GetQueueAttributes');
    return { Attributes: queueAttributes(channel.settings, desk.broker.depth(channel), AttributeNames) };
  },
  PurgeQueue(desk, input) {
    const { QueueUrl } = parseRequest('PurgeQueue', input);
    desk.broker.purge(desk.channel(QueueUrl, 'sqs:PurgeQueue'));
    return {};
  },
} satisfies Record<RequestName, Operation>;

const registry: Readonly<Record<string, Operation>> = operations;

/** @throws {AwsJsonError} UnknownOperationException naming the operation */
export function operationNamed(name: string): Operation {
  if (Object.hasOwn(registry, name)) return registry[name];
  throw new AwsJsonError(
    'com.amazon.coral.service#UnknownOperationException',
    `the local cloud does not know the SQS operation "${name}"`,
  );
}

type SendEntry = Omit<RequestOf<'SendMessage'>, 'QueueUrl'>;

function sizeOf({ MessageBody, MessageAttributes = {} }: SendEntry): number {
  return Buffer.byteLength(MessageBody) + sizeOfAttributes(MessageAttributes);
}

function newMessage({ senderId }: Desk, { settings }: Channel, entry: SendEntry): NewMessage {
  const { MessageBody: body, MessageAttributes: attributes, DelaySeconds } = entry;
  if (sizeOf(entry) > settings.maxMessageBytes) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${settings.maxMessageBytes} bytes.`,
    );
  }
  if (!legalBody.test(body))
    throw sqsError('InvalidMessageContents', 'The message contains characters outside the allowed set.');
  if (attributes && Object.keys(attributes).length > 10) {
    throw invalidParameter('Number of message attributes exceeds the allowed maximum of 10.');
  }
  return { body, attributes, senderId, delayMs: secondsOr(DelaySeconds, settings.delayMs) };
}

function sendReply(id: string, { body, attributes = {} }: NewMessage): JsonObject {
  return {
    MessageId: id,
    MD5OfMessageBody: md5(body),
    ...(Object.keys(attributes).length > 0 && { MD5OfMessageAttributes: md5OfAttributes(attributes) }),
  };
}

function describe(queue: string, message: Message, request: RequestOf<'ReceiveMessage'>): JsonObject {
  const { id, body, receipt = '', senderId, sentAtMs, receiveCount, firstReceivedAtMs } = message;
  const wanted = [...(request.AttributeNames ?? []), ...(request.MessageSystemAttributeNames ?? [])];
  const system = Object.entries({
    SenderId: senderId,
    SentTimestamp: String(sentAtMs),
    ApproximateReceiveCount: String(receiveCount),
    ApproximateFirstReceiveTimestamp: String(firstReceivedAtMs),
  }).filter(([name]) => wanted.includes('All') || wanted.includes(name));
  const attributes = selectAttributes(message.attributes, request.MessageAttributeNames ?? []);
  return {
    MessageId: id,
    ReceiptHandle: receiptHandle(queue, { id, nonce: receipt }),
    MD5OfBody: md5(body),
    Body: body,
    ...(system.length > 0 && { Attributes: Object.fromEntries(system) }),
    ...(Object.keys(attributes).length > 0 && {
      MD5OfMessageAttributes: md5OfAttributes(attributes),
      MessageAttributes: attributes,
    }),
  };
}

function remove({ broker }: Desk, channel: Channel, handle: string): JsonObject {
  const { id, nonce } = parseReceiptHandle(channel.settings.name, handle);
  broker.delete(channel, id, nonce);
  return {};
}

function postpone(
  { broker }: Desk,
  channel: Channel,
  { ReceiptHandle, VisibilityTimeout }: { readonly ReceiptHandle: string; readonly VisibilityTimeout: number },
): JsonObject {
  const { id, nonce } = parseReceiptHandle(channel.settings.name, ReceiptHandle);
  broker.changeVisibility(channel, id, nonce, VisibilityTimeout * 1000);
  return {};
}

/** Does each entry of a batch by itself: one that fails does not fail the others. */
function eachEntry<E extends { readonly Id: string }>(
  entries: readonly E[],
  act: (entry: E) => JsonObject,
): JsonObject {
  if (entries.length === 0) throw sqsError('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > 10) {
    throw sqsError('TooManyEntriesInBatchRequest', 'Maximum number of entries per request are 10.');
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw sqsError('BatchEntryIdsNotDistinct', 'Two or more batch entries have the same Id.');
  }
  const Successful: JsonObject[] = [];
  const Failed: JsonObject[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...act(entry) });
    } catch (error) {
      if (!(error instanceof AwsJsonError)) throw error;
      Failed.push({ Id: entry.Id, SenderFault: true, Code: error.queryCode, Message: error.message });
    }
  }
  return { Successful, Failed };
}

function secondsOr(seconds: number | undefined, otherwiseMs: number): number {
  return seconds === undefined ? otherwiseMs : seconds * 1000;
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
