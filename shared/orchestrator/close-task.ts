import type { TaskId } from '../core/names.ts';
import type { BufferEntry } from '../ports/round-store.ts';
import type { QuarantineRecord } from '../wire/api.ts';
import type { RoundInput } from '../wire/workflow.ts';
import type { Ports } from './ports.ts';

type ClosePorts = Pick<Ports, 'rounds' | 'clock'>;

/** Updates that one look takes from the buffer. */
const batch = 100;

/**
 * Puts away what is left of a task that has ended and whose last version is settled: open tickets run out, and admitted
 * updates that no version took go into quarantine, so that every one of them is accounted for. Repeatable.
 */
export async function closeTask(ports: ClosePorts, task: TaskId): Promise<void> {
  await ports.rounds.expireTickets(task, Number.MAX_SAFE_INTEGER);
  for (
    let left = await ports.rounds.buffer(task, batch);
    left.length > 0;
    left = await ports.rounds.buffer(task, batch)
  ) {
    for (const entry of left) {
      await quarantineBuffered(ports, entry, 'task-ended', 'the task ended before a round took the update');
    }
  }
}

/**
 * Takes an admitted update out of the buffer into quarantine. Repeatable.
 * @param round an attempt that may hold the update: then only while that is the round to come, which it ends
 */
export async function quarantineBuffered(
  { rounds, clock }: ClosePorts,
  entry: Pick<BufferEntry, 'ticket' | 'client' | 'sequence'>,
  reason: string,
  detail: string,
  round?: RoundInput,
): Promise<'quarantined' | 'already'> {
  const ticket = await rounds.ticket(entry.ticket);
  if (!ticket) return 'already';
  const record: QuarantineRecord = { ticket: entry.ticket, client: entry.client, reason, detail, atMs: clock.now() };
  return rounds.quarantine(ticket, 'admitted', record, entry, round);
}
