import { nodeCompressors } from '../../../functions/compressors.ts';
import { nodeSha256 } from '../../../functions/sha256.ts';
import type { TaskId } from '../../../shared/core/names.ts';
import type { Ports } from '../../../shared/orchestrator/ports.ts';
import type { ByteRange, ModelStore, UpdateStore } from '../../../shared/ports/object-stores.ts';
import type { Consumed, RoundStore } from '../../../shared/ports/round-store.ts';
import type { RoundStarter, Secrets, UpdateQueue } from '../../../shared/ports/workflow.ts';
import { MemorySealer } from '../../memory/memory-sealer.ts';
import { type Invocation, withoutSeals } from './invocation.ts';
import type { RecordedObjectStore, RecordedRoundStore } from './recorded-stores.ts';
import type { VirtualTime } from './virtual-time.ts';

/** One key for all runs: making one takes longer than a run. */
export const sealer = new MemorySealer();

/** What lies behind the ports. */
export interface Services {
  readonly time: VirtualTime;
  readonly rounds: RecordedRoundStore;
  readonly models: RecordedObjectStore;
  readonly updates: RecordedObjectStore;
  readonly queue: UpdateQueue;
  readonly starter: RoundStarter;
  readonly secrets: Secrets;
  readonly telemetry: Ports['telemetry'];
  /** One for all functions, as if one process did everything: what it knows has to hold for good. */
  readonly gauge: Ports['gauge'];
}

/** DynamoDB's transactions carry a token: the SDK's second try is the first one's answer. */
const transactions: ReadonlySet<string> = new Set([
  'createTask',
  'issueTicket',
  'bindUpload',
  'admit',
  'quarantine',
  'expireTicket',
  'publish',
]);
/** Two writes an update, as many updates to a transaction as fit; here few, so that it takes several. */
const consumeBatch = 2;

/** A function's ports: the services, every call through the invocation. */
export function functionPorts(services: Services, invocation: Invocation): Ports {
  const through = <Port extends object>(name: string, port: Port): Port =>
    new Proxy(port, {
      get(target, property) {
        const method: unknown = Reflect.get(target, property);
        if (typeof method !== 'function') return method;
        const label = `${name}.${String(property)}`;
        const mayRepeat = !(name === 'rounds' && transactions.has(String(property)));
        return (...args: unknown[]) => {
          const sent = () => {
            const copies = args.map((each) => (each instanceof Uint8Array ? each.slice() : each));
            return () => Reflect.apply(method, target, copies);
          };
          const effect = () => Reflect.apply(method, target, args);
          return invocation.call(() => `${label}(${args.map(brief).join(', ')})`, effect, { mayRepeat, sent });
        };
      },
    });
  return {
    rounds: inParts(through('rounds', services.rounds)),
    models: streaming(through<ModelStore>('models', services.models), invocation, 'models'),
    updates: streaming(through<UpdateStore>('updates', services.updates), invocation, 'updates'),
    queue: through('queue', services.queue),
    starter: through('starter', services.starter),
    clock: { now: () => Math.floor(services.time.nowMs + invocation.skewMs) },
    secrets: services.secrets,
    telemetry: services.telemetry,
    gauge: services.gauge,
    compressors: nodeCompressors,
    sealer: through('sealer', sealer),
    sha256: nodeSha256,
    // Everybody is who he says he is.
    clients: { isActive: async () => true, checkStatement: async () => {} },
  };
}

/** What takes several writes in DynamoDB takes several here: a function may die between them. */
function inParts(rounds: RecordedRoundStore): RoundStore {
  const consume = async (task: TaskId, version: number, updates: readonly Consumed[]) => {
    for (let start = 0; start < updates.length; start += consumeBatch) {
      await rounds.consumeBatch(task, version, updates.slice(start, start + consumeBatch));
    }
    await rounds.markSettled(task, version);
  };
  const expireTickets = async (task: TaskId, nowMs: number, oldestBase?: number) => {
    let expired = 0;
    for (const ticket of await rounds.listOverdue(task, nowMs, oldestBase)) {
      if ((await rounds.expireTicket(ticket, 'ran out')) === 'expired') expired++;
    }
    return expired;
  };
  return replaced<RoundStore>(rounds, { consume, expireTickets });
}

function streaming<Store extends Pick<ModelStore, 'stream'>>(store: Store, invocation: Invocation, name: string) {
  const stream = async (key: string, range?: ByteRange, etag?: string) =>
    invocation.stream(() => `${name}.stream(${brief(key)})`, await store.stream(key, range, etag));
  return replaced<Store>(store, { stream });
}

function replaced<Port extends object>(port: Port, methods: Readonly<Record<string, unknown>>): Port {
  return new Proxy(port, {
    get: (target, property) => methods[String(property)] ?? Reflect.get(target, property),
  });
}

/** Arguments as a trace shows them. */
function brief(value: unknown): string {
  if (typeof value === 'string') return withoutSeals(value).replace(/0{20,}/g, '..');
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(brief).join(' ')}]`;
  if ('ticket' in value) return `ticket ${brief(value.ticket)}`;
  const text = withoutSeals(JSON.stringify(value)).replace(/0{20,}/g, '..');
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
