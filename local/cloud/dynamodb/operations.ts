import { AwsJsonError, isObject, type JsonObject } from '../iam/json-server.ts';
import { checkRequest, optionOf } from './check.ts';
import { type ActionName, type Checked, database } from './dynalite.ts';
import { resourceNotFound, shapeOf, validationError } from './errors.ts';
import { type Front, keyOf, type Operation, perform, type Target, textOf } from './front.ts';
import { transactGetItems, transactWriteItems } from './transactions.ts';
import type { UnitOfWork } from './unit-of-work.ts';

const operations: Readonly<Record<string, Operation>> = {
  GetItem: read('getItem', 'dynamodb:GetItem'),
  Query: read('query', 'dynamodb:Query'),
  Scan: read('scan', 'dynamodb:Scan'),
  BatchGetItem: batchGetItem,
  PutItem: write('putItem', 'dynamodb:PutItem'),
  UpdateItem: write('updateItem', 'dynamodb:UpdateItem'),
  DeleteItem: write('deleteItem', 'dynamodb:DeleteItem'),
  BatchWriteItem: batchWriteItem,
  TransactGetItems: transactGetItems,
  TransactWriteItems: transactWriteItems,
  DescribeTable: describeTable,
  DescribeTimeToLive: describeTimeToLive,
};

/** @throws {AwsJsonError} UnknownOperationException naming the operation */
export function operationNamed(name: string): Operation {
  if (Object.hasOwn(operations, name)) return operations[name];
  throw new AwsJsonError(
    'com.amazon.coral.service#UnknownOperationException',
    `the local cloud does not know the DynamoDB operation "${name}"`,
  );
}

function read(action: 'getItem' | 'query' | 'scan', iamAction: string): Operation {
  return async ({ store, meter, allow }, input) => {
    const data = checkRequest(action, input);
    allow(iamAction, targetOf(store.tables, data));
    const { result, units } = await withCapacity(action, store.begin(), data);
    meter.count('dynamodb.readUnits', Math.max(units, data.ConsistentRead === true ? 1 : 0.5));
    return result;
  };
}

async function batchGetItem({ store, meter, allow }: Front, input: JsonObject): Promise<JsonObject> {
  const data = checkRequest('batchGetItem', input);
  for (const table of tablesOf(data)) allow('dynamodb:BatchGetItem', { table });
  const { result, units } = await withCapacity('batchGetItem', store.begin(), data);
  meter.count('dynamodb.readUnits', units);
  return result;
}

/** Runs a read and asks dynalite what it cost, also where the caller did not. */
async function withCapacity(
  action: ActionName,
  work: UnitOfWork,
  data: Checked,
): Promise<{ result: JsonObject; units: number }> {
  const asked = data.ReturnConsumedCapacity;
  const counted = { ...data, ReturnConsumedCapacity: asked === 'INDEXES' ? asked : 'TOTAL' };
  const { ConsumedCapacity, ...result } = await perform(action, work, counted);
  const parts = [ConsumedCapacity ?? []].flat().filter(isObject);
  const units = parts.reduce((sum, part) => sum + Number(part.CapacityUnits ?? 0), 0);
  return { result: asked === 'TOTAL' || asked === 'INDEXES' ? { ...result, ConsumedCapacity } : result, units };
}

function write(action: 'putItem' | 'updateItem' | 'deleteItem', iamAction: string): Operation {
  return async ({ store, meter, allow }, input) => {
    const onFailure = optionOf(input, 'ReturnValuesOnConditionCheckFailure', ['ALL_OLD', 'NONE']);
    const data = checkRequest(action, input, ['ReturnValuesOnConditionCheckFailure']);
    allow(iamAction, targetOf(store.tables, data));
    return store.lock.run(async () => {
      const work = store.begin();
      try {
        const result = await perform(action, work, data);
        await work.commit();
        meter.count('dynamodb.writeUnits', work.writeUnits());
        return result;
      } catch (error) {
        if (shapeOf(error) !== 'ConditionalCheckFailedException' || !(error instanceof AwsJsonError)) throw error;
        const existing = await existingItem(store.begin(), data);
        meter.count('dynamodb.writeUnits', database.capacityUnits(existing, false, false));
        throw onFailure === 'ALL_OLD' && existing ? withItem(error, existing) : error;
      }
    });
  };
}

function withItem(error: AwsJsonError, item: unknown): AwsJsonError {
  return new AwsJsonError(String(error.body.__type), error.message, { fields: { Item: item } });
}

async function batchWriteItem({ store, meter, allow }: Front, input: JsonObject): Promise<JsonObject> {
  const data = checkRequest('batchWriteItem', input);
  for (const table of tablesOf(data)) allow('dynamodb:BatchWriteItem', { table });
  return store.lock.run(async () => {
    const work = store.begin();
    const result = await perform('batchWriteItem', work, data);
    await work.commit();
    meter.count('dynamodb.writeUnits', work.writeUnits());
    return result;
  });
}

async function describeTable({ store, allow }: Front, input: JsonObject): Promise<JsonObject> {
  const data = checkRequest('describeTable', input);
  allow('dynamodb:DescribeTable', { table: textOf(data, 'TableName') });
  return perform('describeTable', store.begin(), data);
}

async function describeTimeToLive({ tables, allow }: Front, input: JsonObject): Promise<JsonObject> {
  const name = textOf(input, 'TableName');
  allow('dynamodb:DescribeTimeToLive', { table: name });
  const table = tables.find(({ description }) => description.TableName === name);
  if (!table) throw resourceNotFound(name);
  const { ttlAttribute: AttributeName } = table;
  const TimeToLiveDescription =
    AttributeName === undefined ? { TimeToLiveStatus: 'DISABLED' } : { TimeToLiveStatus: 'ENABLED', AttributeName };
  return { TimeToLiveDescription };
}

/** The item that a Put, Update or Delete speaks of, as stored. */
async function existingItem(work: UnitOfWork, data: Checked): Promise<unknown> {
  const { Item } = await perform('getItem', work, { TableName: data.TableName, Key: keyFrom(work, data) });
  return Item;
}

function keyFrom(work: UnitOfWork, data: Checked): unknown {
  if (!isObject(data.Item)) return data.Key;
  return keyOf(work.tableNamed(textOf(data, 'TableName')), data.Item);
}

function targetOf(tables: Front['store']['tables'], data: Checked): Target {
  const table = textOf(data, 'TableName');
  const index = data.IndexName === undefined ? {} : { index: textOf(data, 'IndexName') };
  const partition = tables.get(table)?.KeySchema[0].AttributeName;
  const leadingKeys = partition === undefined ? [] : leadingKeysOf(data, partition);
  return { table, ...index, ...(leadingKeys.length > 0 && { leadingKeys }) };
}

function leadingKeysOf(data: Checked, partition: string): string[] {
  for (const part of [data.Key, data.Item, data.KeyConditions]) {
    const value = isObject(part) ? part[partition] : undefined;
    if (!isObject(value)) continue;
    const attribute = Array.isArray(value.AttributeValueList) ? value.AttributeValueList[0] : value;
    if (isObject(attribute)) return Object.values(attribute).map(String);
  }
  return [];
}

function tablesOf(data: Checked): string[] {
  if (!isObject(data.RequestItems)) throw validationError('RequestItems is missing');
  return Object.keys(data.RequestItems);
}
