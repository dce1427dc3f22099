import {
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  ListBackupsCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDynamoDb, type LocalDynamoDb } from '../../local/cloud/dynamodb/service.ts';
import { TableName, tables, tickets, ticketsProperties } from './dynamodb-tables.ts';
import {
  clientConfig,
  countingMeter,
  failure,
  guardWith,
  postSigned,
  type ServiceProcess,
  startProcess,
  temporaryDirectory,
} from './endpoint.ts';

const reader = { accessKeyId: 'AKIAREADER', secretAccessKey: 'reader-secret' };
const tableArn = `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`;
const readerRole = {
  ...reader,
  name: 'function Reader (role ReaderRole)',
  policies: [
    {
      Statement: [
        {
          Effect: 'Allow' as const,
          Action: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem'],
          Resource: tableArn,
        },
        {
          Effect: 'Deny' as const,
          Action: 'dynamodb:GetItem',
          Resource: '*',
          Condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': 'secret-task' } },
        },
      ],
    },
  ],
};

const meter = countingMeter();
let storage: Awaited<ReturnType<typeof temporaryDirectory>>;
let local: LocalDynamoDb;
let nowMs: () => number = Date.now;
let db: DynamoDBDocumentClient;

beforeAll(async () => {
  storage = await temporaryDirectory();
  const guard = guardWith(readerRole);
  local = await createDynamoDb({ dir: storage.dir, guard, meter, tables, nowMs: () => nowMs() });
  db = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(local.url)));
});

afterAll(async () => {
  db.destroy();
  await local.close();
  await storage.remove();
});

const describeTarget = () =>
  ({ url: local.url, service: 'dynamodb', target: 'DynamoDB_20120810.DescribeTable' }) as const;

const itemOf = async (task: string, version: number) =>
  (await db.send(new GetCommand({ TableName, Key: { task, version }, ConsistentRead: true }))).Item;

describe('a transaction with a ClientRequestToken', () => {
  const increment = (ClientRequestToken: string, by: number) =>
    db.send(
      new TransactWriteCommand({
        ClientRequestToken,
        TransactItems: [
          {
            Update: {
              TableName,
              Key: { task: 'token', version: 0 },
              UpdateExpression: 'ADD n :by',
              ExpressionAttributeValues: { ':by': by },
            },
          },
        ],
      }),
    );

  it('applies a repeated call once, refuses another call under the same token, and forgets after ten minutes', async () => {
    await Promise.all([increment('once', 1), increment('once', 1), increment('once', 1)]);
    expect((await itemOf('token', 0))?.n).toBe(1);
    const mismatch = await failure(increment('once', 2));
    expect(mismatch.name).toBe('IdempotentParameterMismatchException');
    expect((await itemOf('token', 0))?.n).toBe(1);
    nowMs = () => Date.now() + 10 * 60_000;
    await increment('once', 2);
    // A sweep takes the first use of the token away, and leaves the second.
    await local.sweepExpired();
    await increment('once', 2);
    nowMs = Date.now;
    expect((await itemOf('token', 0))?.n).toBe(3);
  });
});

describe('the local DynamoDB', () => {
  it('refuses what the role does not allow, index and transaction included, and names it', async () => {
    const limited = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(local.url, reader)));
    await limited.send(new GetCommand({ TableName, Key: { task: 'x', version: 1 } }));
    const denied = await failure(limited.send(new DeleteCommand({ TableName, Key: { task: 'x', version: 1 } })));
    expect(denied.name).toBe('AccessDeniedException');
    expect(denied.message).toBe(
      `function Reader (role ReaderRole) is not authorized to perform: dynamodb:DeleteItem on resource: ${tableArn} ` +
        'because no identity-based policy allows the dynamodb:DeleteItem action',
    );
    const index = new QueryCommand({
      TableName,
      IndexName: 'by-phase',
      KeyConditionExpression: 'phase = :p',
      ExpressionAttributeValues: { ':p': 'filling' },
    });
    expect((await failure(limited.send(index))).message).toContain(`${tableArn}/index/by-phase`);
    const transaction = new TransactWriteCommand({
      TransactItems: [
        { Put: { TableName, Item: { task: 'x', version: 1 } } },
        { Update: { TableName, Key: { task: 'x', version: 2 }, UpdateExpression: 'REMOVE a' } },
      ],
    });
    expect((await failure(limited.send(transaction))).message).toContain('dynamodb:UpdateItem');
    const leading = new GetCommand({ TableName, Key: { task: 'secret-task', version: 1 } });
    expect((await failure(limited.send(leading))).message).toContain('explicitly denies');
    limited.destroy();
  });

  it('refuses a wrong secret, an unknown key, and a body that was changed on the way', async () => {
    const forged = new DynamoDBClient(clientConfig(local.url, { ...reader, secretAccessKey: 'guess' }));
    const describeTable = new DescribeTableCommand({ TableName });
    expect((await failure(forged.send(describeTable))).name).toBe('InvalidSignatureException');
    const unknown = new DynamoDBClient(clientConfig(local.url, { ...reader, accessKeyId: 'AKIANOBODY' }));
    expect((await failure(unknown.send(describeTable))).name).toBe('UnrecognizedClientException');
    for (const client of [forged, unknown]) client.destroy();
    const tampered = await postSigned({
      ...describeTarget(),
      body: JSON.stringify({ TableName }),
      sent: JSON.stringify({ TableName: tickets }),
    });
    expect(tampered).toMatchObject({ status: 400, name: 'InvalidSignatureException' });
  });

  it('names an operation and a parameter that it does not know', async () => {
    const unknown = await failure(db.send(new ListBackupsCommand({})));
    expect(unknown.name).toBe('UnknownOperationException');
    expect(unknown.message).toContain('ListBackups');
  });

  it.each([
    { body: '{"TableName":', why: /not JSON/ },
    { body: '[]', why: /not a JSON object/ },
    { body: `{"Item":${'{"M":'.repeat(5000)}1${'}'.repeat(5000)}}`, why: /nested deeper/ },
    { body: '{"TableName":"t","Item":{"__proto__":{"S":"x"}}}', why: /__proto__/ },
    { body: '{"TableName":"rounds","Item":{},"Surprise":1}', why: /Surprise/ },
    { body: '', why: /not JSON/ },
  ])('refuses the body $body without falling over', async ({ body, why }) => {
    const answer = await postSigned({ ...describeTarget(), target: 'DynamoDB_20120810.PutItem', body });
    expect(answer.status).toBe(400);
    expect(answer.message).toMatch(why);
  });

  it('refuses a body over 16 MB and an operation of another service', async () => {
    const body = JSON.stringify({ TableName: 'a'.repeat(17 * 1024 * 1024) });
    expect((await postSigned({ ...describeTarget(), body })).status).toBe(413);
    const foreign = await postSigned({ ...describeTarget(), target: 'AmazonSQS.SendMessage', body: '{}' });
    expect(foreign).toMatchObject({ status: 400, name: 'UnknownOperationException' });
  });

  it('deletes what has expired, and nothing else, also from indexes', async () => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const expiries = {
      past: nowSeconds - 1,
      future: nowSeconds + 3600,
      ancient: nowSeconds - 6 * 365 * 24 * 3600,
      text: 'soon',
    };
    for (const [id, expiresAt] of Object.entries(expiries)) {
      await db.send(new PutCommand({ TableName: tickets, Item: { id: `ttl-${id}`, expiresAt } }));
    }
    expect(await local.sweepExpired()).toBe(1);
    const { Items } = await db.send(
      new ScanCommand({
        TableName: tickets,
        FilterExpression: 'begins_with(id, :b)',
        ExpressionAttributeValues: { ':b': 'ttl-' },
      }),
    );
    expect(Items?.map(({ id }) => id).sort()).toEqual(['ttl-ancient', 'ttl-future', 'ttl-text']);
    const { TimeToLiveDescription } = await db.send(new DescribeTimeToLiveCommand({ TableName: tickets }));
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
  });

  it('goes by the expiry that an item has when it is due', async () => {
    const soon = Math.floor(Date.now() / 1000) + 10;
    const put = (id: string, expiresAt: number) =>
      db.send(new PutCommand({ TableName: tickets, Item: { id, expiresAt } }));
    const found = async (id: string) =>
      (await db.send(new GetCommand({ TableName: tickets, Key: { id } }))).Item !== undefined;
    const sweepAt = (seconds: number) => {
      nowMs = () => seconds * 1000;
      return local.sweepExpired().finally(() => {
        nowMs = Date.now;
      });
    };
    await put('due-prolonged', soon);
    await put('due-prolonged', soon + 100);
    await put('due-shortened', soon + 100);
    await put('due-shortened', soon);
    await put('due-deleted', soon);
    await db.send(new DeleteCommand({ TableName: tickets, Key: { id: 'due-deleted' } }));
    expect(await sweepAt(soon - 1)).toBe(0);
    expect(await sweepAt(soon)).toBe(1);
    expect(await found('due-shortened')).toBe(false);
    expect(await found('due-prolonged')).toBe(true);
    expect(await sweepAt(soon + 100)).toBe(1);
    expect(await found('due-prolonged')).toBe(false);
  });

  it('finds what was written before its table had an expiry', async () => {
    const { dir, remove } = await temporaryDirectory();
    const without = ticketsProperties;
    const expiring = { ...without, TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } };
    const open = async (properties: unknown) => {
      const service = await createDynamoDb({ dir, guard: guardWith(), meter, tables: [{ name: 'aged', properties }] });
      return { service, client: DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(service.url))) };
    };
    for (const [properties, id, swept] of [
      [without, 'before', 0],
      [expiring, 'with', 2],
      [without, 'between', 0],
      [expiring, 'after', 2],
    ] as const) {
      const { service, client } = await open(properties);
      await client.send(new PutCommand({ TableName: 'aged', Item: { id, expiresAt: Date.now() / 1000 - 1 } }));
      expect(await service.sweepExpired(), id).toBe(swept);
      client.destroy();
      await service.close();
    }
    await remove();
  });

  it('counts the units that AWS would bill', async () => {
    const counted = async (work: () => Promise<unknown>) => {
      const before = { ...meter.counts };
      await work();
      const delta = (kind: 'dynamodb.writeUnits' | 'dynamodb.readUnits') =>
        (meter.counts[kind] ?? 0) - (before[kind] ?? 0);
      return { write: delta('dynamodb.writeUnits'), read: delta('dynamodb.readUnits') };
    };
    const small = { id: 'units', text: 'a' };
    const big = { id: 'units', text: 'a'.repeat(5000) }; // 5 KB: 5 write units, 2 strong read units of 4 KB
    const put = (Item: object) => db.send(new PutCommand({ TableName: tickets, Item }));
    const get = (ConsistentRead: boolean) =>
      db.send(new GetCommand({ TableName: tickets, Key: { id: 'units' }, ConsistentRead }));
    expect(await counted(() => put(small))).toEqual({ write: 1, read: 0 });
    expect(await counted(() => put(big))).toEqual({ write: 5, read: 0 });
    expect(await counted(() => get(true))).toEqual({ write: 0, read: 2 });
    expect(await counted(() => get(false))).toEqual({ write: 0, read: 1 });
    expect(await counted(() => put(small))).toEqual({ write: 5, read: 0 }); // the larger of old and new
    const transacted = { TransactItems: [{ Put: { TableName: tickets, Item: small } }] };
    expect(await counted(() => db.send(new TransactWriteCommand(transacted)))).toEqual({ write: 2, read: 0 });
    // one for the item, one for its entry in by-phase
    const indexed = { task: 'units', version: 1, phase: 'counted' };
    expect(await counted(() => db.send(new PutCommand({ TableName, Item: indexed })))).toEqual({ write: 2, read: 0 });
  });

  it('keeps every acknowledged write and whole transactions through kill -9', async () => {
    const { dir, remove } = await temporaryDirectory();
    const start = (): Promise<ServiceProcess> =>
      startProcess(
        '../../local/cloud/dynamodb/service.ts',
        `service.createDynamoDb({ guard, meter, dir: ${JSON.stringify(dir)}, tables: ${JSON.stringify(tables)} })`,
      );
    const acknowledged: number[] = [];
    let server = await start();
    try {
      const doomed = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(server.url)));
      const transact = (version: number) =>
        doomed.send(
          new TransactWriteCommand({
            ClientRequestToken: `kill-${version}`,
            TransactItems: [0, 1, 2].map((part) => ({
              Put: { TableName, Item: { task: `kill-${part}`, version, phase: 'killed' } },
            })),
          }),
        );
      // Two writers without pause; the server dies when 60 transactions are acknowledged and others are under way.
      let killed: Promise<void> | undefined;
      const writer = async (first: number) => {
        for (let version = first; ; version += 2) {
          await transact(version);
          acknowledged.push(version);
          if (acknowledged.length === 60) killed = server.kill();
        }
      };
      await Promise.allSettled([writer(1), writer(2)]);
      await killed;
      doomed.destroy();

      server = await start();
      const survivor = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(server.url)));
      const versionsOf = async (task: string) => {
        const { Items } = await survivor.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'task = :t',
            ExpressionAttributeValues: { ':t': task },
          }),
        );
        return (Items ?? []).map(({ version }) => Number(version));
      };
      const kept = await versionsOf('kill-0');
      expect(kept).toEqual(expect.arrayContaining(acknowledged));
      expect(await versionsOf('kill-1')).toEqual(kept);
      expect(await versionsOf('kill-2')).toEqual(kept);
      const { Count } = await survivor.send(
        new QueryCommand({
          TableName,
          IndexName: 'by-phase',
          KeyConditionExpression: 'phase = :p',
          ExpressionAttributeValues: { ':p': 'killed' },
        }),
      );
      expect(Count).toBe(3 * kept.length);
      survivor.destroy();
    } finally {
      await server.kill();
      await remove();
    }
  });

  it.each([
    { change: { StreamSpecification: { StreamViewType: 'NEW_IMAGE' } }, why: /StreamSpecification/ },
    { change: { KeySchema: undefined }, why: /KeySchema/ },
    { change: { KeySchema: [{ AttributeName: 'other', KeyType: 'HASH' }] }, why: /attribute/i },
    { change: { TimeToLiveSpecification: { AttributeName: 'a', Enabled: 'perhaps' } }, why: /TimeToLiveSpecification/ },
  ])('refuses a table with $change by name', async ({ change, why }) => {
    const { dir, remove } = await temporaryDirectory();
    const properties = { ...ticketsProperties, ...change };
    const open = createDynamoDb({ dir, guard: guardWith(), meter, tables: [{ name: 'odd-table', properties }] });
    const error = await failure(open);
    expect(error.message).toMatch(/odd-table/);
    expect(error.message).toMatch(why);
    await remove();
  });

  it('refuses a directory in use, and a stored table whose schema has changed', async () => {
    const { dir, remove } = await temporaryDirectory();
    const open = (properties: unknown) =>
      createDynamoDb({ dir, guard: guardWith(), meter, tables: [{ name: 'kept', properties }] });
    const first = await open(ticketsProperties);
    expect((await failure(open(ticketsProperties))).message).toMatch(/cannot open/);
    await first.close();
    const changed = { ...ticketsProperties, AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'N' }] };
    expect((await failure(open(changed))).message).toMatch(/kept .* another schema/);
    await (await open({ ...ticketsProperties, DeletionProtectionEnabled: true })).close();
    await remove();
  });
});
