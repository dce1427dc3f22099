import { z } from 'zod';
import { localAccount } from '../service.ts';
import { checkRequest } from './check.ts';
import { type Checked, runAction, type StoreView, type TableDescription } from './dynalite.ts';

/** A table of the template: its physical name and the resolved Properties of its `AWS::DynamoDB::Table`. */
export interface TableConfig {
  readonly name: string;
  readonly properties: unknown;
}

export interface Table {
  readonly description: TableDescription;
  /** The attribute that holds the expiry in epoch seconds. */
  readonly ttlAttribute: string | undefined;
  /** What `CreateTable` was asked, to notice that a stored table no longer fits the template. */
  readonly schema: string;
}

const harmless = z.unknown().optional();
const keySchema = z.array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
const throughput = z
  .strictObject({ ReadCapacityUnits: z.coerce.number().int(), WriteCapacityUnits: z.coerce.number().int() })
  .optional();
const index = z.strictObject({
  IndexName: z.string(),
  KeySchema: keySchema,
  Projection: z.strictObject({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
    NonKeyAttributes: z.array(z.string()).optional(),
  }),
  ProvisionedThroughput: throughput,
});

const propertiesSchema = z.strictObject({
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  GlobalSecondaryIndexes: z.array(index).optional(),
  LocalSecondaryIndexes: z.array(index.omit({ ProvisionedThroughput: true })).optional(),
  BillingMode: z.enum(['PAY_PER_REQUEST', 'PROVISIONED']).optional(),
  ProvisionedThroughput: throughput,
  TimeToLiveSpecification: z
    .strictObject({ AttributeName: z.string().min(1), Enabled: z.union([z.boolean(), z.stringbool()]) })
    .optional(),
  TableName: harmless,
  PointInTimeRecoverySpecification: harmless,
  SSESpecification: harmless,
  Tags: harmless,
  DeletionProtectionEnabled: harmless,
});

/**
 * Reads a table of the template.
 * @throws {RangeError} naming the table and a property that is wrong or not known to the local cloud
 */
export async function parseTable({ name, properties }: TableConfig): Promise<Table> {
  const parsed = propertiesSchema.safeParse(properties);
  if (!parsed.success) throw new RangeError(`table ${name}: ${z.prettifyError(parsed.error)}`);
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, LocalSecondaryIndexes } = parsed.data;
  const { BillingMode, ProvisionedThroughput, TimeToLiveSpecification: ttl } = parsed.data;
  const capacity = BillingMode === 'PAY_PER_REQUEST' ? { BillingMode } : { BillingMode, ProvisionedThroughput };
  const wanted = {
    TableName: name,
    KeySchema,
    AttributeDefinitions,
    ...(GlobalSecondaryIndexes && { GlobalSecondaryIndexes }),
    ...(LocalSecondaryIndexes && { LocalSecondaryIndexes }),
  };
  const request = JSON.parse(JSON.stringify({ ...wanted, ...capacity }));
  try {
    const description = await describe(checkRequest('createTable', request));
    const ttlAttribute = ttl?.Enabled ? ttl.AttributeName : undefined;
    return { description, ttlAttribute, schema: JSON.stringify(wanted) };
  } catch (cause) {
    throw new RangeError(`table ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Lets dynalite write the description of a new table and catches it in its final, ACTIVE form. */
function describe(request: Checked): Promise<TableDescription> {
  return new Promise((resolve, reject) => {
    const tableDb = {
      awsAccountId: localAccount.accountId,
      awsRegion: localAccount.region,
      lock: (_key: string, enter: (release: <C>(done: C) => C) => void) => enter((done) => done),
      get: (_key: string, done: (error: unknown) => void) => done(null),
      put: (_key: string, table: TableDescription, done: (error: unknown) => void) => {
        done(null);
        if (table.TableStatus === 'ACTIVE') resolve(structuredClone(table));
      },
    };
    const unused = () => {
      throw new Error('createTable touches nothing but the table list');
    };
    const store = { options: { maxItemSize: 0, createTableMs: 0 }, tableDb };
    const view: StoreView = { ...store, getTable: unused, getItemDb: unused, getIndexDb: unused };
    runAction('createTable', view, request).catch(reject);
  });
}
