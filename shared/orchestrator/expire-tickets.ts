import type { TaskRecord } from '../ports/round-store.ts';
import type { Ports } from './ports.ts';

/**
 * Ends the tickets that have run out and, in a synchronous task, those for an earlier version than the newest: no round
 * takes their updates any more, and they must not hold places of the cohort.
 * @returns how many
 */
export async function expireTickets(
  { rounds, clock }: Pick<Ports, 'rounds' | 'clock'>,
  { task, config, version }: TaskRecord,
): Promise<number> {
  return rounds.expireTickets(task, clock.now(), config.round.mode === 'sync' ? version : undefined);
}
