import { FlError } from '../core/errors.ts';
import type { TaskId } from '../core/names.ts';
import { cellCount } from '../core/plan/round-plan.ts';
import { roundReadiness } from '../core/round.ts';
import type { BufferEntry, TaskRecord } from '../ports/round-store.ts';
import type { Frozen, Manifest, RoundInput } from '../wire/workflow.ts';
import { tooStale } from './admit-update.ts';
import { quarantineBuffered } from './close-task.ts';
import { composeManifest } from './compose-manifest.ts';
import { consumePublished } from './consume.ts';
import { manifestKey } from './keys.ts';
import { giveUpRound, lossCells, readManifest, writeManifest } from './manifest.ts';
import { isMeasured } from './measure.ts';
import type { Ports } from './ports.ts';
import type { LayoutCache } from './read-object.ts';
import { requirePublished } from './require-task.ts';
import { hasAllRounds, isToCome, startRoundIfReady } from './start-round.ts';

type FreezePorts = Pick<Ports, 'rounds' | 'models' | 'updates' | 'queue' | 'starter' | 'gauge' | 'clock' | 'telemetry'>;

/** A buffer that is read in one go; the rest waits for the next round. */
const mostStalePerRound = 1_000;
/** Updates whose bytes are looked for at the same time. */
const looksAtOnce = 50;

/**
 * Claims the updates of a round by writing its manifest, once: whoever comes second reads what the first one wrote.
 * Updates leave the buffer only when the version that holds them has been published, so a round that dies here or later
 * has taken nothing.
 */
export async function freeze(ports: FreezePorts, layouts: LayoutCache, input: RoundInput): Promise<Frozen> {
  const published = await requirePublished(ports, input.task);
  const { record } = published;
  const key = manifestKey(input);
  const known = await readManifest(ports.models, key);
  if (!isToCome(input, record)) {
    await leaveToOthers(ports, input, known);
    return { outcome: 'superseded' };
  }
  if (known) return frozen(key, known);

  // A round that died between publishing and settling left its updates in the buffer: take them out first.
  await consumePublished(ports, record);
  const isOver = record.state === 'completed' || hasAllRounds(record);
  const { fresh, gone } = isOver ? { fresh: [], gone: [] } : await claim(ports, record);
  // Another freeze of this attempt may have seen what is gone now: whoever puts it aside ends the attempt with it.
  const isStuck = !(await putGoneAside(ports, input, gone));
  const ready = roundReadiness({
    ...record.config.round,
    count: fresh.length,
    deadlineAtMs: record.deadline?.version === record.version ? record.deadline.atMs : undefined,
    nowMs: ports.clock.now(),
  });
  if (gone.length > 0 || ready.kind === 'waiting') {
    await ports.rounds.nextAttempt(input, isStuck ? 'failed' : 'not-ready');
    await startRoundIfReady(ports, input.task);
    return { outcome: 'not-ready' };
  }
  const manifest = await composeManifest(ports, layouts, published, input, fresh);
  return frozen(key, await writeManifest(ports.models, key, manifest));
}

/** An earlier try of this step, or another execution, has gone past this round: cleans up after it, and looks what is next. */
async function leaveToOthers(ports: FreezePorts, { task, version }: RoundInput, manifest: Manifest | undefined) {
  const published = await ports.rounds.version(task, version);
  if (manifest && published?.manifestKey !== manifestKey(manifest)) await giveUpRound(ports.models, manifest);
  await startRoundIfReady(ports, task);
}

interface Claim {
  /** The oldest K of the buffer that may enter the round. */
  readonly fresh: readonly BufferEntry[];
  /** Those whose bytes are gone. */
  readonly gone: readonly BufferEntry[];
}

/** Looks through the buffer. What has become too stale goes into quarantine: no round takes it, whoever looks and when. */
async function claim(ports: FreezePorts, record: TaskRecord): Promise<Claim> {
  const { buffer, maxStaleness } = record.config.round;
  const fresh: BufferEntry[] = [];
  const gone: BufferEntry[] = [];
  const waiting = [...(await ports.rounds.buffer(record.task, buffer + mostStalePerRound))];
  while (waiting.length > 0 && fresh.length < buffer) {
    const some = waiting.splice(0, Math.min(looksAtOnce, buffer - fresh.length));
    const intact = await Promise.all(some.map((entry) => isIntact(ports, entry)));
    for (const [i, entry] of some.entries()) {
      const staleness = record.version - entry.baseVersion;
      if (staleness > maxStaleness) await putAside(ports, record.task, entry, tooStale(staleness, maxStaleness));
      else (intact[i] ? fresh : gone).push(entry);
    }
  }
  return { fresh, gone };
}

/** A lifecycle rule or a person may have deleted an update that waited long: without it no round would ever succeed. */
async function isIntact({ updates }: FreezePorts, { key, etag }: BufferEntry): Promise<boolean> {
  return (await updates.head(key))?.etag === etag;
}

const bytesGone = new FlError('object-missing', "the update's bytes are gone from the bucket");

/** Each with a step to the next attempt, as long as nobody else takes one. @returns whether all were put aside */
async function putGoneAside(ports: FreezePorts, round: RoundInput, gone: readonly BufferEntry[]): Promise<boolean> {
  for (const [i, entry] of gone.entries()) {
    const current = { ...round, attempt: round.attempt + i };
    if ((await putAside(ports, round.task, entry, bytesGone, current)) === 'already') return false;
  }
  return true;
}

async function putAside(ports: FreezePorts, task: TaskId, entry: BufferEntry, why: FlError, round?: RoundInput) {
  const outcome = await quarantineBuffered(ports, entry, why.code, why.message, round);
  if (outcome === 'quarantined') ports.telemetry.record(task, { UpdatesQuarantined: 1 }, { reason: why.code });
  return outcome;
}

function frozen(manifestKey: string, manifest: Manifest): Frozen {
  const { plan, judge, updates } = manifest;
  return {
    outcome: 'frozen',
    manifestKey,
    judged: judge !== undefined,
    root: judge?.references.some(({ name }) => name === 'root') ?? false,
    lossCells: lossCells(updates.length, judge?.lossesPerCell ?? 0),
    measureCells: isMeasured(manifest) ? plan.tiles.length : 0,
    levels: plan.levels.map((_, level) => cellCount(plan, level)),
  };
}
