import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ArrivalFailure, FailureStore } from '../../shared/ports/dead-letters.ts';
import { keys } from './dynamo-items.ts';
import { DynamoTable } from './dynamo-table.ts';

/** Longer than the 14 days that a queue keeps a message. */
const keepSeconds = 21 * 24 * 3600;

/** Failures as items of the one table. */
export class DynamoFailureStore implements FailureStore {
  readonly #table: DynamoTable;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#table = new DynamoTable(client, table);
  }

  async note(message: string, { code, detail, tries, atMs }: ArrivalFailure): Promise<void> {
    await this.#table.update({
      Key: keys.failure(message),
      UpdateExpression:
        'SET code = :code, detail = :detail, tries = :tries, atMs = :at, firstAtMs = if_not_exists(firstAtMs, :at), #ttl = :ttl',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':code': code,
        ':detail': detail,
        ':tries': tries,
        ':at': atMs,
        ':ttl': Math.ceil(atMs / 1000) + keepSeconds,
      },
    });
  }

  async failureOf(message: string) {
    const item = await this.#table.get(keys.failure(message));
    if (!item) return undefined;
    return {
      code: String(item.code),
      detail: String(item.detail),
      tries: Number(item.tries),
      atMs: Number(item.atMs),
      firstAtMs: Number(item.firstAtMs),
    };
  }
}
