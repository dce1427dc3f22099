import { createDynamoDb, type LocalDynamoDb } from '../dynamodb/service.ts';
import { createKms } from '../kms/service.ts';
import { createS3 } from '../s3/server.ts';
import type { LocalService } from '../service.ts';
import { createSqs, type LocalSqs } from '../sqs/service.ts';
import type { Ground } from './ground.ts';

export interface Storage {
  readonly sqs: LocalSqs;
  readonly dynamodb: LocalDynamoDb;
  readonly s3: LocalService;
  readonly kms: LocalService;
  /** Bucket events on their way to a queue. */
  notifying(): number;
}

/** Starts buckets, tables, queues and keys. */
export async function startStorage(ground: Ground): Promise<Storage> {
  const { guard, meter, plan, log } = ground;
  let notifying = 0;
  const sqs = await ground.start('sqs', (port) => {
    return createSqs({ dir: ground.path('sqs'), port, guard, meter, queues: plan.queues });
  });
  const notify = async ({ queueArn, message }: { readonly queueArn: string; readonly message: string }) => {
    notifying += 1;
    try {
      await ground.ready;
      await sqs.send(queueArn, message);
    } finally {
      notifying -= 1;
    }
  };
  const [dynamodb, s3, kms] = await Promise.all([
    ground.start('dynamodb', (port) => {
      return createDynamoDb({ dir: ground.path('dynamodb'), port, guard, meter, tables: plan.tables });
    }),
    ground.start('s3', (port) => {
      return createS3({ dir: ground.path('s3'), port, guard, meter, log, buckets: plan.buckets, notify });
    }),
    ground.start('kms', (port) => {
      return createKms({ dir: ground.path('kms'), port, guard, meter, keys: plan.signingKeys });
    }),
  ]);
  return { sqs, dynamodb, s3, kms, notifying: () => notifying };
}
