import type { TaskId } from '../core/names.ts';
import { roundReadiness } from '../core/round.ts';
import type { Ports } from './ports.ts';

/** SQS holds a message for 15 minutes at most: a longer wait takes several hops. */
const longestDelayMs = 15 * 60_000;

type StartPorts = Pick<Ports, 'rounds' | 'queue' | 'starter' | 'clock'>;

/**
 * Starts the round that makes the next version if the buffer is ready and the last round is settled, and sees to it that
 * a deadline is set while the buffer holds anything. Harmless to repeat; whoever changes the buffer, the version or the
 * attempt calls it afterwards, so that no arrival goes unnoticed.
 * @param unsettled start even if the last round published and never settled: the next freeze makes up for it
 */
export async function startRoundIfReady(ports: StartPorts, task: TaskId, { unsettled = false } = {}): Promise<void> {
  const record = await ports.rounds.task(task);
  if (record?.state !== 'running') return;
  const { config, version, attempt } = record;
  if (config.stop.rounds !== undefined && version >= config.stop.rounds) return;
  const count = (await ports.rounds.buffer(task, config.round.buffer)).length;
  if (count === 0) return;
  const nowMs = ports.clock.now();
  const deadlineAtMs = record.deadline?.version === version ? record.deadline.atMs : undefined;
  const readiness = roundReadiness({ ...config.round, count, deadlineAtMs, nowMs });
  if (readiness.kind === 'ready' && (unsettled || record.settledVersion === version)) {
    await ports.starter.start({ task, version: version + 1, attempt });
    return;
  }
  if (deadlineAtMs === undefined) {
    // The note first: if only it gets through, the next arrival sets the deadline; the other way round it would be lost.
    await postpone(ports, task, version, config.round.deadlineMs);
    await ports.rounds.setDeadline(task, version, nowMs + config.round.deadlineMs);
  }
}

/** Acts on a note that `startRoundIfReady` left: waits on, starts the round, or gives the buffer another period. */
export async function onDeadline(ports: StartPorts, note: { task: TaskId; version: number }): Promise<void> {
  const record = await ports.rounds.task(note.task);
  if (record?.state !== 'running' || record.version !== note.version) return;
  const nowMs = ports.clock.now();
  const remainingMs = (record.deadline?.version === note.version ? record.deadline.atMs : nowMs) - nowMs;
  if (remainingMs > 0) {
    await postpone(ports, note.task, note.version, remainingMs);
    return;
  }
  await startRoundIfReady(ports, note.task, { unsettled: true });
  const waiting = (await ports.rounds.buffer(note.task, record.config.round.minimum)).length;
  if (waiting < record.config.round.minimum) {
    await postpone(ports, note.task, note.version, record.config.round.deadlineMs);
  }
}

function postpone({ queue }: StartPorts, task: TaskId, version: number, delayMs: number): Promise<void> {
  return queue.postpone({ kind: 'deadline', task, version }, Math.min(delayMs, longestDelayMs));
}
