import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';

export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** `refused` names the first write whose condition failed, by its place; `conflict`: others wrote at the same time. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly index: number }
  | { readonly kind: 'conflict' };

const tries = 8;

/** All the writes or none. A conflict is tried again with full jitter; what remains after that is reported. */
export async function transact(client: DynamoDBDocumentClient, writes: readonly Write[]): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(new TransactWriteCommand({ TransactItems: [...writes] }));
      return { kind: 'done' };
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = error.CancellationReasons ?? [];
      const index = reasons.findIndex(({ Code }) => Code === 'ConditionalCheckFailed');
      if (index >= 0) return { kind: 'refused', index };
      if (!reasons.some(({ Code }) => Code === 'TransactionConflict')) throw error;
      if (attempt + 1 === tries) return { kind: 'conflict' };
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 25 * 2 ** attempt));
    }
  }
}
