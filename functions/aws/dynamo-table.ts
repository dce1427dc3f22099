import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { FlError } from '../../shared/core/errors.ts';
import { type Outcome, transact, type Write } from './dynamo-transaction.ts';

interface QueryOptions {
  readonly limit?: number;
  readonly newestFirst?: boolean;
  /** Sort key to go on after; it need not be there. */
  readonly after?: string;
}

/** One table with the keys `pk` and `sk`: the few calls that the round store is made of. */
export class DynamoTable {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  put(item: Record<string, unknown>, condition?: string, values?: Record<string, unknown>): Write {
    return {
      Put: {
        TableName: this.#table,
        Item: item,
        ConditionExpression: condition,
        ExpressionAttributeValues: values,
      },
    };
  }

  /** A condition on an item that the transaction leaves as it is: `:version` in it is `version`. */
  check(key: { pk: string; sk: string }, condition: string, version: number): Write {
    return {
      ConditionCheck: {
        TableName: this.#table,
        Key: key,
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':version': version },
      },
    };
  }

  delete(key: { pk: string; sk: string }, condition?: string, values?: Record<string, unknown>): Write {
    return {
      Delete: { TableName: this.#table, Key: key, ConditionExpression: condition, ExpressionAttributeValues: values },
    };
  }

  change(update: Omit<NonNullable<Write['Update']>, 'TableName'>): Write {
    return { Update: { TableName: this.#table, ...update } };
  }

  /** All the writes or none, and if none, why. */
  attempt(writes: readonly Write[]): Promise<Outcome> {
    return transact(this.#client, writes);
  }

  /** True if all was written, false if a condition did not hold. */
  async transact(writes: readonly Write[]): Promise<boolean> {
    const outcome = await this.attempt(writes);
    if (outcome.kind === 'conflict') {
      throw new FlError('busy', 'too many writers at once', { retry: 'now', retryAfterMs: 200 });
    }
    return outcome.kind === 'done';
  }

  /** Puts one item if the condition holds. */
  async putIf(
    item: Record<string, unknown>,
    condition: string,
    values?: Record<string, unknown>,
  ): Promise<'done' | 'refused'> {
    const command = new PutCommand({
      TableName: this.#table,
      Item: item,
      ConditionExpression: condition,
      ExpressionAttributeValues: values,
    });
    try {
      await this.#client.send(command);
      return 'done';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'refused';
      throw error;
    }
  }

  async update(update: Omit<UpdateCommandInput, 'TableName'>): Promise<'done' | 'refused'> {
    try {
      await this.#client.send(new UpdateCommand({ TableName: this.#table, ...update }));
      return 'done';
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'refused';
      throw error;
    }
  }

  /** Counts one more in an item that is there for counting, and forgotten after `ttl`. @returns the new count */
  async increment(key: { pk: string; sk: string }, ttl: number): Promise<number> {
    const command = new UpdateCommand({
      TableName: this.#table,
      Key: key,
      UpdateExpression: 'ADD #count :one SET #ttl = :ttl',
      ExpressionAttributeNames: { '#count': 'count', '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':one': 1, ':ttl': ttl },
      ReturnValues: 'UPDATED_NEW',
    });
    return Number((await this.#client.send(command)).Attributes?.count);
  }

  async get(key: { pk: string; sk: string }): Promise<Record<string, unknown> | undefined> {
    const command = new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true });
    return (await this.#client.send(command)).Item;
  }

  async query(
    pk: string,
    { limit = Number.POSITIVE_INFINITY, newestFirst = false, after }: QueryOptions = {},
  ): Promise<readonly Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let start: Record<string, unknown> | undefined = after === undefined ? undefined : { pk, sk: after };
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': pk },
          ConsistentRead: true,
          ScanIndexForward: !newestFirst,
          ExclusiveStartKey: start,
          ...(Number.isFinite(limit) && { Limit: limit - items.length }),
        }),
      );
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
    } while (start && items.length < limit);
    return items;
  }
}
