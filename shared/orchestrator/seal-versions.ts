import { FlError } from '../core/errors.ts';
import type { TaskId } from '../core/names.ts';
import type { VersionRecord } from '../ports/round-store.ts';
import { type SealedVersion, sealOf, signingInput } from '../wire/seal.ts';
import type { SettleInput } from '../wire/workflow.ts';
import type { Ports } from './ports.ts';

type SealPorts = Pick<Ports, 'rounds' | 'models' | 'sealer' | 'sha256'>;

/** Records the evaluation, so that it is signed too, and seals the version. Repeatable. */
export async function seal(ports: SealPorts, { task, version, evaluation }: SettleInput): Promise<void> {
  if (evaluation) await ports.rounds.setEvaluation(task, version, evaluation);
  await sealVersions(ports, task, version);
}

/**
 * Signs the records of all versions up to `newest` that have no seal: each names the one before, so whoever changes a
 * stored model, manifest or record later is found out. A version is sealed once.
 */
export async function sealVersions(ports: SealPorts, task: TaskId, newest: number): Promise<void> {
  const unsealed: VersionRecord[] = [];
  let previous: string | undefined;
  for (let version = newest; version >= 0; version--) {
    const record = await ports.rounds.version(task, version);
    if (!record) throw new FlError('version-unknown', `task "${task}" has no version ${version}`);
    previous = record.seal;
    if (previous !== undefined) break;
    unsealed.unshift(record);
  }
  for (const record of unsealed) previous = await sealOne(ports, task, record, previous);
}

/** @returns the version's seal: this one, or the one that another was first with */
async function sealOne(
  ports: SealPorts,
  task: TaskId,
  record: VersionRecord,
  previous: string | undefined,
): Promise<string> {
  const { version, evaluation } = record;
  const input = signingInput(await describe(ports, task, record, previous));
  const made = sealOf(input, await ports.sealer.sign(new TextEncoder().encode(input)));
  if ((await ports.rounds.setSeal(task, version, made, evaluation)) === 'sealed') return made;
  const now = await ports.rounds.version(task, version);
  if (now?.seal !== undefined) return now.seal;
  // Its own step has evaluated it in between: once, so this ends.
  if (now?.evaluation && !evaluation) return sealOne(ports, task, now, previous);
  throw new FlError('version-unknown', `task "${task}" has no version ${version}`);
}

async function describe(
  { models, sha256 }: SealPorts,
  task: TaskId,
  { version, origin, publishedAtMs, updates, examples, evaluation, manifestKey, model }: VersionRecord,
  previous: string | undefined,
): Promise<SealedVersion> {
  const fileHash = async (key: string) => sha256(await models.stream(key));
  const state: Record<string, string> = {};
  for (const [name, key] of Object.entries(model.stateKeys ?? {})) state[name] = await fileHash(key);
  return {
    task,
    version,
    origin,
    publishedAtMs,
    updates,
    examples,
    ...(evaluation && { evaluation }),
    ...(manifestKey !== undefined && { manifest: await fileHash(manifestKey) }),
    model: await fileHash(model.key),
    state,
    ...(previous !== undefined && { previous: await sha256(once(new TextEncoder().encode(previous))) }),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
