import { createHash } from 'node:crypto';
import { AwsJsonError, isObject, type JsonObject } from '../iam/json-server.ts';
import { checkRequest, optionOf } from './check.ts';
import type { ActionName, Checked } from './dynalite.ts';
import { dynamoError, shapeOf, validationError } from './errors.ts';
import { type Front, keyOf, perform, textOf } from './front.ts';
import type { UnitOfWork } from './unit-of-work.ts';

/** What a transaction may hold: the dynalite action that does it, and the IAM action that allows it. */
const members = {
  Put: { action: 'putItem', iamAction: 'dynamodb:PutItem' },
  Update: { action: 'updateItem', iamAction: 'dynamodb:UpdateItem' },
  Delete: { action: 'deleteItem', iamAction: 'dynamodb:DeleteItem' },
  // A deletion whose writes are thrown away: dynalite checks its condition and nothing else remains.
  ConditionCheck: { action: 'deleteItem', iamAction: 'dynamodb:ConditionCheckItem' },
} as const satisfies Record<string, { action: ActionName; iamAction: string }>;

interface Step {
  readonly kind: keyof typeof members;
  readonly data: Checked;
  readonly returnOld: boolean;
}

const maxItems = 100;
const maxTransactionBytes = 4 * 1024 * 1024;
/** How long a ClientRequestToken makes a repeated call harmless. */
const tokenLifeMs = 10 * 60_000;
const tokenPrefix = 'token~';

/** TransactWriteItems: every condition is judged, then all writes reach the disk in one batch, or none does. */
export async function transactWriteItems(front: Front, input: JsonObject): Promise<JsonObject> {
  refuseUnknown(input, [
    'TransactItems',
    'ClientRequestToken',
    'ReturnConsumedCapacity',
    'ReturnItemCollectionMetrics',
  ]);
  const { store, meter, allow } = front;
  const steps = itemsOf(input).map(parseStep);
  for (const { kind, data } of steps) allow(members[kind].iamAction, { table: textOf(data, 'TableName') });
  const token = tokenOf(input);
  const fingerprint = createHash('sha256').update(canonical(input.TransactItems)).digest('hex');

  return store.lock.run(async () => {
    if (token !== undefined && (await wasApplied(front, token, fingerprint))) return {};
    const work = store.begin();
    refuseDuplicates(work, steps);
    const reasons: JsonObject[] = [];
    let checkUnits = 0;
    for (const step of steps) {
      const { reason, units } = await attempt(work, store.begin(), step);
      reasons.push(reason);
      checkUnits += units;
    }
    if (reasons.some(({ Code }) => Code !== 'None')) {
      meter.count('dynamodb.writeUnits', 2 * steps.length);
      throw cancelled(reasons);
    }
    if (work.writtenBytes() > maxTransactionBytes) throw validationError('Transaction exceeds 4 MB');
    if (token !== undefined) {
      work.putRecord(tokenPrefix + token, { fingerprint, untilMs: front.nowMs() + tokenLifeMs });
    }
    await work.commit();
    meter.count('dynamodb.writeUnits', 2 * (work.writeUnits() + checkUnits));
    return {};
  });
}

/** TransactGetItems: up to 100 items as of one moment. */
export async function transactGetItems(front: Front, input: JsonObject): Promise<JsonObject> {
  refuseUnknown(input, ['TransactItems', 'ReturnConsumedCapacity']);
  const { store, meter, allow } = front;
  const gets = itemsOf(input).map((item) => {
    if (!isObject(item) || !isObject(item.Get) || Object.keys(item).length !== 1) {
      throw validationError('each of TransactItems must hold one Get');
    }
    return { ...checkRequest('getItem', item.Get), ReturnConsumedCapacity: 'TOTAL', ConsistentRead: true };
  });
  for (const get of gets) allow('dynamodb:GetItem', { table: textOf(get, 'TableName') });
  return store.lock.run(async () => {
    const Responses: JsonObject[] = [];
    for (const get of gets) {
      const { Item, ConsumedCapacity } = await perform('getItem', store.begin(), get);
      meter.count('dynamodb.readUnits', 2 * Number(isObject(ConsumedCapacity) ? ConsumedCapacity.CapacityUnits : 1));
      Responses.push(Item === undefined ? {} : { Item });
    }
    return { Responses };
  });
}

function parseStep(item: unknown): Step {
  const found = isObject(item) ? Object.entries(item).filter(([, value]) => value !== undefined && value !== null) : [];
  const kind = memberNamed(found[0]?.[0]);
  const request = found[0]?.[1];
  if (found.length !== 1 || kind === undefined || !isObject(request)) {
    throw validationError(`each of TransactItems must hold exactly one of ${Object.keys(members).join(', ')}`);
  }
  const onFailure = optionOf(request, 'ReturnValuesOnConditionCheckFailure', ['ALL_OLD', 'NONE']);
  const data = checkRequest(members[kind].action, request, ['ReturnValuesOnConditionCheckFailure']);
  if (kind === 'ConditionCheck' && data.ConditionExpression === undefined && data._condition === undefined) {
    throw validationError('a ConditionCheck needs a ConditionExpression');
  }
  return { kind, data, returnOld: onFailure === 'ALL_OLD' };
}

function memberNamed(name: string | undefined): Step['kind'] | undefined {
  return name === 'Put' || name === 'Update' || name === 'Delete' || name === 'ConditionCheck' ? name : undefined;
}

/** Does one step inside `work` and says why it cannot; `units` is what a mere check of the item costs. */
async function attempt(
  work: UnitOfWork,
  scratch: UnitOfWork,
  { kind, data, returnOld }: Step,
): Promise<{ reason: JsonObject; units: number }> {
  const target = kind === 'ConditionCheck' ? scratch : work;
  try {
    await perform(members[kind].action, target, data);
    return { reason: { Code: 'None' }, units: kind === 'ConditionCheck' ? scratch.itemUnits() : 0 };
  } catch (error) {
    if (!(error instanceof AwsJsonError) || error.status >= 500) throw error;
    const shape = shapeOf(error);
    if (shape === 'ValidationException') {
      return { reason: { Code: 'ValidationError', Message: error.message }, units: 0 };
    }
    if (shape !== 'ConditionalCheckFailedException') throw error;
    const reason = { Code: 'ConditionalCheckFailed', Message: error.message };
    if (!returnOld) return { reason, units: 0 };
    const table = work.tableNamed(textOf(data, 'TableName'));
    const Key = isObject(data.Item) ? keyOf(table, data.Item) : data.Key;
    const { Item } = await perform('getItem', scratch, { TableName: table.TableName, Key });
    return { reason: Item === undefined ? reason : { ...reason, Item }, units: 0 };
  }
}

async function wasApplied({ store, nowMs }: Front, token: string, fingerprint: string): Promise<boolean> {
  const record = await store.level.get(tokenPrefix + token);
  if (!isObject(record) || nowMs() >= Number(record.untilMs)) return false;
  if (record.fingerprint === fingerprint) return true;
  throw dynamoError(
    'IdempotentParameterMismatchException',
    'Idempotent parameter mismatch: the ClientRequestToken was used with other TransactItems',
  );
}

function refuseDuplicates(work: UnitOfWork, steps: readonly Step[]): void {
  const seen = new Set<string>();
  for (const { data } of steps) {
    const table = work.tableNamed(textOf(data, 'TableName'));
    const key = keyOf(table, isObject(data.Item) ? data.Item : isObject(data.Key) ? data.Key : {});
    const identity = canonical([table.TableName, key]);
    if (seen.has(identity)) {
      throw validationError('Transaction request cannot include multiple operations on one item');
    }
    seen.add(identity);
  }
}

function cancelled(reasons: readonly JsonObject[]): AwsJsonError {
  const codes = reasons.map(({ Code }) => String(Code)).join(', ');
  return dynamoError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    { CancellationReasons: reasons },
  );
}

function itemsOf({ TransactItems }: JsonObject): readonly unknown[] {
  if (Array.isArray(TransactItems) && TransactItems.length >= 1 && TransactItems.length <= maxItems) {
    return TransactItems;
  }
  throw validationError(`TransactItems must be a list of 1 to ${maxItems}`);
}

function tokenOf({ ClientRequestToken: token }: JsonObject): string | undefined {
  if (token === undefined || token === null) return undefined;
  if (typeof token === 'string' && token.length >= 1 && token.length <= 36) return token;
  throw validationError('ClientRequestToken must be a string of 1 to 36 characters');
}

function refuseUnknown(input: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown) throw validationError(`the local cloud does not know parameter ${unknown} of this transaction`);
}

/** JSON with sorted names, so that the same request gives the same text. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}
