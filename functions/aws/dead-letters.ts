import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DeadLetterPorts } from '../../shared/orchestrator/dead-letters.ts';
import type { FailureStore } from '../../shared/ports/dead-letters.ts';
import { env } from '../env.ts';
import { DynamoFailureStore } from './dynamo-failure-store.ts';
import { SqsDeadLetterQueue } from './sqs-dead-letter-queue.ts';

export function awsFailures(): FailureStore {
  return new DynamoFailureStore(DynamoDBDocumentClient.from(new DynamoDBClient({})), env('table'));
}

/** The dead letters over AWS. */
export function awsDeadLetters(): DeadLetterPorts {
  return {
    letters: new SqsDeadLetterQueue(new SQSClient({}), {
      deadLetters: env('deadLettersQueueUrl'),
      arrivals: env('arrivalsQueueUrl'),
    }),
    failures: awsFailures(),
    clock: { now: () => Date.now() },
  };
}
