import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDBClient,
  TransactionCanceledException,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactGetCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoDb, type LocalDynamoDb } from '../../local/cloud/dynamodb/service.ts';
import { roundsProperties, TableName, tables, tickets, ticketsProperties } from './dynamodb-tables.ts';
import { clientConfig, countingMeter, failure, foreignEndpoint, guardWith, temporaryDirectory } from './endpoint.ts';

let storage: Awaited<ReturnType<typeof temporaryDirectory>>;
let local: LocalDynamoDb | undefined;
let db: DynamoDBDocumentClient;

beforeAll(async () => {
  storage = await temporaryDirectory();
  if (!foreignEndpoint) {
    local = await createDynamoDb({ dir: storage.dir, guard: guardWith(), meter: countingMeter(), tables });
  }
  db = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(foreignEndpoint ?? local?.url ?? '')));
  if (foreignEndpoint) {
    await db.send(new CreateTableCommand({ TableName, ...roundsProperties }));
    await db.send(new CreateTableCommand({ TableName: tickets, ...ticketsProperties }));
  }
});

afterAll(async () => {
  db.destroy();
  await local?.close();
  await storage.remove();
});

const itemOf = async (task: string, version: number) =>
  (await db.send(new GetCommand({ TableName, Key: { task, version }, ConsistentRead: true }))).Item;

describe('items', () => {
  it('gives back what was put, numbers and bytes included', async () => {
    const Item = {
      task: 'kinds',
      version: 1,
      share: 0.1,
      bytes: new Uint8Array([0, 255, 3]),
      list: [1, { a: null }],
      雪: 'é',
    };
    await db.send(new PutCommand({ TableName, Item }));
    expect(await itemOf('kinds', 1)).toEqual(Item);
    expect(await itemOf('kinds', 2)).toBeUndefined();
  });

  it('queries a range of versions in order, both ways and page by page', async () => {
    for (const version of [3, 1, 2, 10])
      await db.send(new PutCommand({ TableName, Item: { task: 'ordered', version } }));
    const query = {
      TableName,
      KeyConditionExpression: 'task = :task AND version > :least',
      ExpressionAttributeValues: { ':task': 'ordered', ':least': 1 },
    };
    const up = await db.send(new QueryCommand(query));
    expect(up.Items?.map(({ version }) => version)).toEqual([2, 3, 10]);
    const down = await db.send(new QueryCommand({ ...query, ScanIndexForward: false, Limit: 2 }));
    expect(down.Items?.map(({ version }) => version)).toEqual([10, 3]);
    const next = await db.send(
      new QueryCommand({ ...query, ScanIndexForward: false, ExclusiveStartKey: down.LastEvaluatedKey }),
    );
    expect(next.Items?.map(({ version }) => version)).toEqual([2]);
  });

  it('moves an item through an index when its key attribute changes', async () => {
    const Key = { task: 'indexed', version: 1 };
    const inPhase = async (phase: string) => {
      const { Items } = await db.send(
        new QueryCommand({
          TableName,
          IndexName: 'by-phase',
          KeyConditionExpression: 'phase = :phase',
          ExpressionAttributeValues: { ':phase': phase },
        }),
      );
      return Items?.map(({ task }) => task);
    };
    await db.send(new PutCommand({ TableName, Item: { ...Key, phase: 'filling' } }));
    expect(await inPhase('filling')).toEqual(['indexed']);
    await db.send(
      new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: 'SET phase = :p',
        ExpressionAttributeValues: { ':p': 'published' },
      }),
    );
    expect(await inPhase('filling')).toEqual([]);
    expect(await inPhase('published')).toEqual(['indexed']);
    await db.send(new DeleteCommand({ TableName, Key }));
    expect(await inPhase('published')).toEqual([]);
  });

  it('writes and reads in batches', async () => {
    const ids = Array.from({ length: 25 }, (_, i) => `batch-${i}`);
    await db.send(
      new BatchWriteItemCommand({
        RequestItems: { [tickets]: ids.map((id) => ({ PutRequest: { Item: { id: { S: id } } } })) },
      }),
    );
    const { Responses } = await db.send(
      new BatchGetItemCommand({ RequestItems: { [tickets]: { Keys: ids.map((id) => ({ id: { S: id } })) } } }),
    );
    expect(Responses?.[tickets].map(({ id }) => id.S).sort()).toEqual([...ids].sort());
    const { Count } = await db.send(
      new ScanCommand({
        TableName: tickets,
        FilterExpression: 'begins_with(id, :b)',
        ExpressionAttributeValues: { ':b': 'batch-' },
      }),
    );
    expect(Count).toBe(25);
  });

  it('refuses a table, an item without its key and a condition that does not parse', async () => {
    const noTable = await failure(db.send(new GetCommand({ TableName: 'nowhere', Key: { id: 'a' } })));
    expect(noTable.name).toBe('ResourceNotFoundException');
    expect((await failure(db.send(new PutCommand({ TableName, Item: { task: 'a' } })))).name).toBe(
      'ValidationException',
    );
    const broken = new PutCommand({
      TableName,
      Item: { task: 'a', version: 1 },
      ConditionExpression: 'attribute_exists(',
    });
    expect((await failure(db.send(broken))).name).toBe('ValidationException');
  });
});

describe('conditional writes', () => {
  it('lets exactly one of 50 racing writers create an item', async () => {
    const claim = (writer: number) =>
      db.send(
        new PutCommand({
          TableName,
          Item: { task: 'race', version: 7, writer },
          ConditionExpression: 'attribute_not_exists(task)',
        }),
      );
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, writer) => claim(writer)));
    const winners = outcomes.flatMap(({ status }, writer) => (status === 'fulfilled' ? [writer] : []));
    expect(winners).toHaveLength(1);
    expect((await itemOf('race', 7))?.writer).toBe(winners[0]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(ConditionalCheckFailedException);
    }
  });

  it('adds up 50 parallel increments without losing one', async () => {
    const increment = () =>
      db.send(
        new UpdateCommand({
          TableName,
          Key: { task: 'counter', version: 0 },
          UpdateExpression: 'ADD arrived :one',
          ExpressionAttributeValues: { ':one': 1 },
          ReturnValues: 'UPDATED_NEW',
        }),
      );
    const results = await Promise.all(Array.from({ length: 50 }, increment));
    const seen = results.map(({ Attributes }) => Number(Attributes?.arrived)).sort((a, b) => a - b);
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('shows the item that failed the condition only where asked to', async () => {
    const Key = { task: 'shown', version: 1 };
    await db.send(new PutCommand({ TableName, Item: { ...Key, phase: 'published' } }));
    const update = (onFailure: 'ALL_OLD' | 'NONE') =>
      new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: 'SET phase = :next',
        ConditionExpression: 'phase = :expected',
        ExpressionAttributeValues: { ':next': 'filling', ':expected': 'filling' },
        ReturnValuesOnConditionCheckFailure: onFailure,
      });
    const shown = await failure(db.send(update('ALL_OLD')));
    expect(shown).toBeInstanceOf(ConditionalCheckFailedException);
    expect(shown).toMatchObject({ Item: { task: { S: 'shown' }, version: { N: '1' }, phase: { S: 'published' } } });
    expect(await failure(db.send(update('NONE')))).not.toHaveProperty('Item.phase');
    const put = new PutCommand({
      TableName,
      Item: Key,
      ConditionExpression: 'attribute_not_exists(task)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    expect(await failure(db.send(put))).toMatchObject({ Item: { phase: { S: 'published' } } });
  });
});

describe('transactions', () => {
  const put = (task: string, version: number, attributes: object = {}) => ({
    Put: { TableName, Item: { task, version, ...attributes } },
  });

  it('writes all of its items, also across tables', async () => {
    await db.send(new PutCommand({ TableName, Item: { task: 'all', version: 3 } }));
    await db.send(
      new TransactWriteCommand({
        TransactItems: [
          put('all', 1, { phase: 'transacted' }),
          {
            Update: {
              TableName,
              Key: { task: 'all', version: 2 },
              UpdateExpression: 'ADD n :n',
              ExpressionAttributeValues: { ':n': 5 },
            },
          },
          { Delete: { TableName, Key: { task: 'all', version: 3 }, ConditionExpression: 'attribute_exists(task)' } },
          { Put: { TableName: tickets, Item: { id: 'all' } } },
        ],
      }),
    );
    const { Responses } = await db.send(
      new TransactGetCommand({
        TransactItems: [
          { Get: { TableName, Key: { task: 'all', version: 1 } } },
          { Get: { TableName, Key: { task: 'all', version: 2 } } },
          { Get: { TableName, Key: { task: 'all', version: 3 } } },
          { Get: { TableName: tickets, Key: { id: 'all' } } },
        ],
      }),
    );
    expect(Responses?.map(({ Item }) => Item)).toEqual([
      { task: 'all', version: 1, phase: 'transacted' },
      { task: 'all', version: 2, n: 5 },
      undefined,
      { id: 'all' },
    ]);
  });

  it('writes nothing if one condition fails, and says which and why', async () => {
    await db.send(new PutCommand({ TableName, Item: { task: 'none', version: 9, phase: 'published' } }));
    const error = await failure(
      db.send(
        new TransactWriteCommand({
          TransactItems: [
            put('none', 1, { phase: 'half-done' }),
            {
              ConditionCheck: {
                TableName,
                Key: { task: 'none', version: 9 },
                ConditionExpression: 'phase = :p',
                ExpressionAttributeValues: { ':p': 'filling' },
                ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
              },
            },
            put('none', 2),
          ],
        }),
      ),
    );
    expect(error).toBeInstanceOf(TransactionCanceledException);
    expect(error.message).toContain('[None, ConditionalCheckFailed, None]');
    const reasons = error instanceof TransactionCanceledException ? error.CancellationReasons : undefined;
    expect(reasons?.map(({ Code }) => Code)).toEqual(['None', 'ConditionalCheckFailed', 'None']);
    expect(reasons?.[1].Item?.phase).toEqual({ S: 'published' });
    expect(await itemOf('none', 1)).toBeUndefined();
    expect(await itemOf('none', 2)).toBeUndefined();
    const indexed = await db.send(
      new QueryCommand({
        TableName,
        IndexName: 'by-phase',
        KeyConditionExpression: 'phase = :p',
        ExpressionAttributeValues: { ':p': 'half-done' },
      }),
    );
    expect(indexed.Items).toEqual([]);
  });

  it('lets one of 20 racing transactions move a version pointer', async () => {
    await db.send(new PutCommand({ TableName, Item: { task: 'pointer', version: 0, current: 0 } }));
    const publish = (writer: number) =>
      db.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Update: {
                TableName,
                Key: { task: 'pointer', version: 0 },
                UpdateExpression: 'SET #c = :new',
                ConditionExpression: '#c = :old',
                ExpressionAttributeNames: { '#c': 'current' },
                ExpressionAttributeValues: { ':new': 1, ':old': 0 },
              },
            },
            put('pointer', 100 + writer),
          ],
        }),
      );
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => publish(i)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { Count } = await db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'task = :t AND version >= :v',
        ExpressionAttributeValues: { ':t': 'pointer', ':v': 100 },
      }),
    );
    expect(Count).toBe(1);
  });

  it('refuses two operations on one item, no operations, and more than 100', async () => {
    const send = (TransactItems: TransactWriteItem[]) => db.send(new TransactWriteCommand({ TransactItems }));
    const twice = await failure(
      db.send(new TransactWriteCommand({ TransactItems: [put('twice', 1), put('twice', 1)] })),
    );
    expect(twice.name).toBe('ValidationException');
    expect((await failure(send([]))).name).toBe('ValidationException');
    const TransactItems = Array.from({ length: 101 }, (_, version) => put('many', version));
    expect((await failure(db.send(new TransactWriteCommand({ TransactItems })))).name).toBe('ValidationException');
    expect((await failure(send([{}]))).name).toBe('ValidationException');
  });
});
