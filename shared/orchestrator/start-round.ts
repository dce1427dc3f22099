import type { TaskId } from '../core/names.ts';
import { roundReadiness } from '../core/round.ts';
import type { TaskRecord } from '../ports/round-store.ts';
import type { RoundInput } from '../wire/workflow.ts';
import { closeTask } from './close-task.ts';
import type { Ports } from './ports.ts';

/** SQS holds a message for 15 minutes at most: a longer wait takes several hops. */
const longestDelayMs = 15 * 60_000;

type StartPorts = Pick<Ports, 'rounds' | 'queue' | 'starter' | 'clock'>;

interface Occasion {
  /** Start even if the last round published and never settled: the next freeze makes up for it. */
  readonly unsettled?: boolean;
  /** Leave a note even if there should be one: it may have been dropped while the task was stopped. */
  readonly remind?: boolean;
}

/**
 * Starts the round that makes the next version if the buffer is ready and the last round is settled, ends the task if it
 * has all its rounds, and sees to it that a note brings the task up again while the buffer holds anything. Harmless to
 * repeat; whoever changes the buffer, the version or the attempt calls it afterwards, so that no arrival goes unnoticed.
 */
export async function startRoundIfReady(
  ports: StartPorts,
  task: TaskId,
  { unsettled = false, remind = false }: Occasion = {},
): Promise<void> {
  const record = await ports.rounds.task(task);
  if (record?.state === 'completed') await closeTask(ports, task);
  if (record?.state !== 'running') return;
  const { config, version, attempt } = record;
  const isSettled = record.settledVersion === version;
  if (config.stop.rounds !== undefined && version >= config.stop.rounds) {
    if (isSettled) await completeTask(ports, task, `reached ${config.stop.rounds} rounds`);
    return;
  }
  const count = (await ports.rounds.buffer(task, config.round.buffer)).length;
  if (count === 0) return;
  const deadlineAtMs = await remindAtDeadline(ports, record, remind);
  const readiness = roundReadiness({ ...config.round, count, deadlineAtMs, nowMs: ports.clock.now() });
  if (readiness.kind === 'ready' && (unsettled || isSettled)) {
    await start(ports, { task, version: version + 1, attempt });
  }
}

/** Ends the task and puts what is left of it away. Repeatable. */
export async function completeTask(ports: StartPorts, task: TaskId, reason: string): Promise<void> {
  await ports.rounds.setTaskState(task, ['running'], 'completed', reason);
  await closeTask(ports, task);
}

/** Acts on a note that `startRoundIfReady` left: waits on, or starts the round and looks again a period later. */
export async function onDeadline(ports: StartPorts, note: { task: TaskId; version: number }): Promise<void> {
  const record = await ports.rounds.task(note.task);
  if (record?.state !== 'running' || record.version !== note.version) return;
  const nowMs = ports.clock.now();
  const remainingMs = (record.deadline?.version === note.version ? record.deadline.atMs : nowMs) - nowMs;
  if (remainingMs > 0) {
    await postpone(ports, note.task, note.version, remainingMs);
    return;
  }
  // The next note first: what starts now may die without a word.
  await postpone(ports, note.task, note.version, record.config.round.deadlineMs);
  await startRoundIfReady(ports, note.task, { unsettled: true });
}

/** @returns when the deadline of the round that fills now is, in epoch ms */
async function remindAtDeadline(ports: StartPorts, record: TaskRecord, remind: boolean): Promise<number> {
  const { task, version, deadline, config } = record;
  const known = deadline?.version === version ? deadline.atMs : undefined;
  const atMs = known ?? ports.clock.now() + config.round.deadlineMs;
  if (known === undefined || remind) {
    // The note first: if only it gets through, the next arrival sets the deadline; the other way round it would be lost.
    await postpone(ports, task, version, Math.max(0, atMs - ports.clock.now()));
    await ports.rounds.setDeadline(task, version, atMs);
  }
  return atMs;
}

/** Starts the execution; one that ended without publishing or moving on, as when it was stopped, is followed by another. */
async function start({ rounds, starter }: StartPorts, input: RoundInput): Promise<void> {
  const outcome = await starter.start(input);
  if (outcome !== 'ended-badly') return;
  const moved = await rounds.nextAttempt(input.task, input.attempt, 'failed');
  const record = await rounds.task(input.task);
  const isCurrent = record?.version === input.version - 1 && record.attempt === input.attempt + 1;
  if (moved === 'done' && isCurrent) await starter.start({ ...input, attempt: input.attempt + 1 });
}

function postpone({ queue }: StartPorts, task: TaskId, version: number, delayMs: number): Promise<void> {
  return queue.postpone({ kind: 'deadline', task, version }, Math.min(delayMs, longestDelayMs));
}
