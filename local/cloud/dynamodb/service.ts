import { startJsonServer } from '../iam/json-server.ts';
import type { Guard, LocalService, Meter } from '../service.ts';
import { arnOf, type Front } from './front.ts';
import { operationNamed } from './operations.ts';
import { openStore } from './store.ts';
import { parseTable, type TableConfig } from './table.ts';
import { sweepExpired } from './time-to-live.ts';

export type { TableConfig } from './table.ts';

export interface DynamoDbOptions {
  /** Holds the tables; survives kill -9. One process at a time. */
  readonly dir: string;
  readonly port?: number;
  readonly guard: Guard;
  readonly meter: Meter;
  readonly tables: readonly TableConfig[];
  readonly nowMs?: () => number;
  /** How often expired items are deleted; AWS takes up to days. Default: a minute. */
  readonly ttlSweepMs?: number;
}

export interface LocalDynamoDb extends LocalService {
  /** Deletes what has expired now. @returns how many items */
  sweepExpired(): Promise<number>;
}

/**
 * DynamoDB on 127.0.0.1: dynalite's actions over LevelDB, behind signatures, permissions and one write lock.
 * @throws {RangeError} naming a table property that the local cloud does not know
 * @throws {Error} if the directory is in use or holds a table with another schema
 */
export async function createDynamoDb(options: DynamoDbOptions): Promise<LocalDynamoDb> {
  const { guard, meter, nowMs = Date.now } = options;
  const tables = await Promise.all(options.tables.map(parseTable));
  const store = await openStore(options.dir, tables);
  const front = { store, tables, meter, nowMs } satisfies Omit<Front, 'allow'>;
  const server = await startJsonServer({
    service: 'dynamodb',
    target: 'DynamoDB_20120810',
    guard,
    nowMs,
    maxBodyBytes: 16 * 1024 * 1024,
    port: options.port,
    handle: async ({ operation, input, accessKeyId }) => {
      const allow: Front['allow'] = (action, target) => {
        const { leadingKeys } = target;
        guard.authorize(accessKeyId, action, arnOf(target), leadingKeys && { 'dynamodb:LeadingKeys': leadingKeys });
      };
      return operationNamed(operation)({ ...front, allow }, input);
    },
  }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });

  let sweeping: Promise<number> = Promise.resolve(0);
  const sweep = () => {
    sweeping = sweeping.catch(() => 0).then(() => sweepExpired(store, nowMs()));
    return sweeping;
  };
  const timer = setInterval(() => sweep().catch(console.error), options.ttlSweepMs ?? 60_000);
  timer.unref();
  return {
    url: `http://127.0.0.1:${server.port}`,
    sweepExpired: sweep,
    async close() {
      clearInterval(timer);
      await server.close();
      await sweeping.catch(() => 0);
      await store.lock.run(() => store.close());
    },
  };
}
