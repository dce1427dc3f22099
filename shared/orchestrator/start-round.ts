import type { TaskId } from '../core/names.ts';
import { roundReadiness } from '../core/round.ts';
import type { TaskRecord } from '../ports/round-store.ts';
import type { DeadlineNote } from '../ports/workflow.ts';
import type { RoundInput } from '../wire/workflow.ts';
import { closeTask } from './close-task.ts';
import type { Ports } from './ports.ts';

/** SQS holds a message for 15 minutes at most: a longer wait takes several hops. */
const longestDelayMs = 15 * 60_000;
/** Rounds take seconds to minutes: no sooner does a note look whether one has died. */
const shortestWatchMs = 60_000;
/** A task whose rounds keep failing stops trying, or it would cost money for ever. */
export const mostFailures = 5;

type StartPorts = Pick<Ports, 'rounds' | 'queue' | 'starter' | 'clock' | 'gauge'>;

interface Occasion {
  /** The last round has published and may never settle: another execution, whose freeze does it first, makes up for it. */
  readonly unsettled?: boolean;
}

/**
 * Starts the round that makes the next version if the buffer is ready and the last round is settled; ends the task if it
 * has all its rounds; and sees to it that a note brings the task up again when that is needed. Harmless to repeat; whoever
 * changes the buffer, the version or the attempt calls it afterwards, so that no arrival goes unnoticed.
 */
export async function startRoundIfReady(ports: StartPorts, task: TaskId, occasion: Occasion = {}): Promise<void> {
  const record = await ports.rounds.task(task);
  if (record?.state !== 'running' && record?.state !== 'completed') return;
  if (record.state === 'running' && record.failures >= mostFailures) {
    await ports.rounds.setTaskState(task, ['running'], 'suspended', `${mostFailures} rounds failed`);
    return;
  }
  const { config, state, version, settledVersion, attempt } = record;
  const next: RoundInput = { task, version: version + 1, attempt };
  if (settledVersion < version) {
    await watch(ports, record);
    if (occasion.unsettled) await start(ports, next, occasion);
    return;
  }
  if (state === 'completed') return closeTask(ports, task);
  if (hasAllRounds(record)) return completeTask(ports, record, `reached ${config.stop.rounds} rounds`);
  if (await nothingIsDue(ports, record)) return;
  const count = await ports.gauge.count(ports.rounds, record);
  if (count === 0) return;
  const deadlineAtMs = await deadlineOf(ports, record);
  const readiness = roundReadiness({ ...config.round, count, deadlineAtMs, nowMs: ports.clock.now() });
  if (readiness.kind === 'ready') {
    await watch(ports, record);
    await start(ports, next, occasion);
  } else if (readiness.reason === 'deadline') {
    await leaveNote(ports, record, deadlineAtMs);
  }
  // Below the minimum nothing is to be done until another update arrives.
}

/** True if the buffer cannot be full, its deadline is to come, and a note will come with it: nobody has to read the buffer. */
async function nothingIsDue({ rounds, clock, gauge }: StartPorts, record: TaskRecord): Promise<boolean> {
  const { config, deadline, version } = record;
  const nowMs = clock.now();
  if (deadline?.version !== version || deadline.atMs <= nowMs || !isNoted(record, deadline.atMs, nowMs)) return false;
  const most = await gauge.most(rounds, record);
  return most !== undefined && most < config.round.buffer;
}

/** Ends the task, and with it whatever round is under way; puts what is left of it away. Repeatable. */
export async function completeTask(ports: StartPorts, record: TaskRecord, reason: string): Promise<void> {
  await watch(ports, record);
  await ports.rounds.setTaskState(record.task, ['running'], 'completed', reason);
  await startRoundIfReady(ports, record.task);
}

/** Whether the task has as many versions as it was to make. */
export function hasAllRounds({ config, version }: TaskRecord): boolean {
  return config.stop.rounds !== undefined && version >= config.stop.rounds;
}

/** Whether this round can still publish. */
export function isToCome({ version, attempt }: RoundInput, record: TaskRecord): boolean {
  return record.version + 1 === version && record.attempt === attempt;
}

/** Acts on a note that `startRoundIfReady` left. Of several that came to be, all but the latest are dropped. */
export async function onDeadline(ports: StartPorts, { task, atMs }: Omit<DeadlineNote, 'kind'>): Promise<void> {
  const remainingMs = atMs - ports.clock.now();
  if (remainingMs > 0) {
    await postpone(ports, task, atMs, remainingMs);
    return;
  }
  // Forgotten before the look: who changes something after the look sees that no note is left, and leaves one.
  if ((await ports.rounds.clearNote(task, atMs)) === 'refused') return;
  await startRoundIfReady(ports, task, { unsettled: true });
}

/** When the deadline of the round that fills now is, in epoch ms; it runs from the first update that anyone sees. */
async function deadlineOf({ rounds, clock }: StartPorts, record: TaskRecord): Promise<number> {
  const { task, version, deadline, config } = record;
  if (deadline?.version === version) return deadline.atMs;
  const atMs = clock.now() + config.round.deadlineMs;
  await rounds.setDeadline(task, version, atMs);
  return atMs;
}

/** Leaves a note before something starts that may die without a word. */
function watch(ports: StartPorts, record: TaskRecord): Promise<void> {
  const watchMs = Math.max(record.config.round.deadlineMs, shortestWatchMs);
  return leaveNote(ports, record, ports.clock.now() + watchMs);
}

/** Sees to it that a note comes at `dueMs`, or before. */
async function leaveNote(ports: StartPorts, record: TaskRecord, dueMs: number): Promise<void> {
  const { task } = record;
  const nowMs = ports.clock.now();
  if (isNoted(record, dueMs, nowMs)) return;
  const atMs = noteTime(dueMs, nowMs);
  // The note first: one that the task does not know of is dropped or harmless, one that it waits for in vain is not.
  await postpone(ports, task, atMs, atMs - nowMs);
  await ports.rounds.setNote(task, atMs, nowMs);
}

/** Whether a note that was left comes at `dueMs`, or before. */
function isNoted({ noteAtMs }: TaskRecord, dueMs: number, nowMs: number): boolean {
  return noteAtMs !== undefined && noteAtMs >= nowMs && noteAtMs <= noteTime(dueMs, nowMs);
}

function noteTime(dueMs: number, nowMs: number): number {
  return Math.min(Math.max(dueMs, nowMs), nowMs + longestDelayMs);
}

/** Starts the execution; one that ended without publishing or moving on, as when it was stopped, is followed by another. */
async function start(ports: StartPorts, round: RoundInput, occasion: Occasion): Promise<void> {
  if ((await ports.starter.start(round)) !== 'ended-badly') return;
  await ports.rounds.nextAttempt(round, 'failed');
  await startRoundIfReady(ports, round.task, occasion);
}

function postpone({ queue }: StartPorts, task: TaskId, atMs: number, delayMs: number): Promise<void> {
  return queue.postpone({ kind: 'deadline', task, atMs }, Math.min(delayMs, longestDelayMs));
}
