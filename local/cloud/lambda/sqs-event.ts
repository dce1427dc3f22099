import { Buffer } from 'node:buffer';
import type { Message } from '@aws-sdk/client-sqs';
import { localAccount } from '../service.ts';
import type { Json } from '../template/assembly.ts';

/** A batch of messages as Lambda hands it to a function. "Using Lambda with Amazon SQS", AWS Lambda developer guide. */
export function sqsEvent(messages: readonly Message[], queueArn: string): Json {
  return { Records: messages.map((message) => record(message, queueArn)) };
}

function record(message: Message, eventSourceARN: string): Json {
  const messageAttributes: Record<string, Json> = {};
  for (const [name, { StringValue, BinaryValue, DataType }] of Object.entries(message.MessageAttributes ?? {})) {
    messageAttributes[name] = {
      ...(StringValue === undefined ? {} : { stringValue: StringValue }),
      ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
      stringListValues: [],
      binaryListValues: [],
      dataType: DataType ?? 'String',
    };
  }
  const md5 = message.MD5OfMessageAttributes;
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: Object.fromEntries(Object.entries(message.Attributes ?? {})),
    messageAttributes,
    md5OfBody: message.MD5OfBody ?? '',
    ...(md5 === undefined ? {} : { md5OfMessageAttributes: md5 }),
    eventSource: 'aws:sqs',
    eventSourceARN,
    awsRegion: localAccount.region,
  };
}
