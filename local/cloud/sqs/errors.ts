import { AwsJsonError } from '../iam/json-server.ts';

/** SQS's errors: the shape of the JSON protocol, and the code of the query protocol that SDKs still read from a header. */
const shapes = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  ReceiptHandleIsInvalid: 'ReceiptHandleIsInvalid',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  OverLimit: 'OverLimit',
  InvalidMessageContents: 'InvalidMessageContents',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
} as const;

export function sqsError(shape: keyof typeof shapes, message: string): AwsJsonError {
  return new AwsJsonError(`com.amazonaws.sqs#${shape}`, message, { queryCode: shapes[shape] });
}

export function invalidParameter(message: string): AwsJsonError {
  return new AwsJsonError('com.amazon.coral.service#InvalidParameterValueException', message, {
    queryCode: 'InvalidParameterValue',
  });
}
