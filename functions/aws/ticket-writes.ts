import type { TaskId, TicketId } from '../../shared/core/names.ts';
import type { TicketCounts, TicketRecord } from '../../shared/ports/round-store.ts';
import { keys, ttlAfter } from './dynamo-items.ts';
import type { DynamoTable } from './dynamo-table.ts';
import type { Write } from './dynamo-transaction.ts';

/** What several transactions do to a ticket, its client and the task's counts: the writes, for whoever commits them together. */
export class TicketWrites {
  readonly #table: DynamoTable;

  constructor(table: DynamoTable) {
    this.#table = table;
  }

  move(ticket: TicketId, from: readonly string[], to: string, extra: Record<string, unknown> = {}): Write {
    const states = from.map((state, i) => [`:from${i}`, state] as const);
    const extras = Object.entries(extra);
    return this.#table.change({
      Key: keys.ticket(ticket),
      UpdateExpression: `SET #state = :to${extras.map(([name]) => `, #${name} = :${name}`).join('')}`,
      ConditionExpression: `#state IN (${states.map(([name]) => name).join(', ')})`,
      ExpressionAttributeNames: {
        '#state': 'state',
        ...Object.fromEntries(extras.map(([name]) => [`#${name}`, name])),
      },
      ExpressionAttributeValues: {
        ':to': to,
        ...Object.fromEntries(states),
        ...Object.fromEntries(extras.map(([name, value]) => [`:${name}`, value])),
      },
    });
  }

  countMissed({ task, client }: Pick<TicketRecord, 'task' | 'client'>, missedAtMs: number): Write {
    return this.#table.change({
      Key: keys.pace(task, client),
      UpdateExpression: 'ADD missed :one SET lastMissedAtMs = :at, #ttl = :ttl',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':one': 1, ':at': missedAtMs, ':ttl': ttlAfter(missedAtMs) },
    });
  }

  /** The client may ask for another ticket. */
  close({ task, client, ticket }: Pick<TicketRecord, 'task' | 'client' | 'ticket'>): Write {
    return this.#table.delete(keys.open(task, client), 'attribute_not_exists(pk) OR ticket = :ticket', {
      ':ticket': ticket,
    });
  }

  count(task: TaskId, changes: Partial<TicketCounts>, limit?: CountLimit): Write {
    const entries = Object.entries(changes);
    return this.#table.change({
      Key: keys.counts(task),
      UpdateExpression: `ADD ${entries.map(([name]) => `#${name} :${name}`).join(', ')}`,
      ConditionExpression: limit?.condition,
      ExpressionAttributeNames: Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(entries.map(([name, change]) => [`:${name}`, change])),
        ...limit?.values,
      },
    });
  }
}

/** A condition on the counts item. */
interface CountLimit {
  readonly condition: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Counts that are not there yet are zero. */
export function openBelow(cap: number, admitted: number | undefined): CountLimit {
  const below = '(attribute_not_exists(#open) OR #open < :cap)';
  if (admitted === undefined) return { condition: below, values: { ':cap': cap } };
  const same = admitted === 0 ? '(attribute_not_exists(admitted) OR admitted = :seen)' : 'admitted = :seen';
  return { condition: `${below} AND ${same}`, values: { ':cap': cap, ':seen': admitted } };
}
