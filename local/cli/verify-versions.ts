import { createHash } from 'node:crypto';
import { FlError } from '../../shared/core/errors.ts';
import type { VersionResponse } from '../../shared/wire/api.ts';
import { readSeal, type SealedVersion, type SealKey } from '../../shared/wire/seal.ts';
import { manifestSchema } from '../../shared/wire/workflow.ts';
import type { OperatorApi } from './operator-api.ts';
import { type ClientKeys, verifyStatements } from './verify-statements.ts';

/** What was found of one version. */
export interface VerifiedVersion {
  readonly version: number;
  /** `record`: signature, chain and record stand; `whole`: manifest and model file as well. */
  readonly verified: 'record' | 'whole' | 'nothing';
  /** What does not stand, one line each. */
  readonly problems: readonly string[];
  /** Clients of a whole version whose keys are gone: what they contributed cannot be proved. */
  readonly unproved: readonly string[];
}

export interface VerifyOptions {
  readonly key: SealKey;
  /** Of the clients that are there now. */
  readonly clientKeys: ClientKeys;
  /** Versions whose manifest and model are downloaded and hashed. */
  isWhole(version: number): boolean;
  onVersion?(verified: VerifiedVersion): void;
  readonly signal?: AbortSignal;
}

interface Findings {
  readonly problems: string[];
  readonly unproved: string[];
}

/**
 * Verifies a task's history against the federation's key: every seal's signature, that each names the one before, that
 * the stored record says what was sealed, and for the chosen versions that manifest and model are the sealed bytes.
 */
export async function verifyVersions(
  api: Pick<OperatorApi, 'versions' | 'version' | 'get'>,
  task: string,
  { key, clientKeys, isWhole, onVersion, signal }: VerifyOptions,
): Promise<readonly VerifiedVersion[]> {
  const versions: VerifiedVersion[] = [];
  let previous: string | undefined;
  for (const [index, record] of (await api.versions(task, signal)).entries()) {
    const found: Findings = { problems: [], unproved: [] };
    const { problems } = found;
    if (record.version !== index) problems.push(`the history has version ${record.version} in place ${index}`);
    const sealed = await openSeal(record, key, problems);
    if (sealed) {
      compareRecord(task, record, sealed, problems);
      const expected = previous === undefined ? undefined : hash(Buffer.from(previous));
      if (sealed.previous !== expected) problems.push('the seal does not follow the seal of the version before');
      if (isWhole(record.version)) await compareFiles(api, task, sealed, { found, clientKeys, signal });
    }
    const verified: VerifiedVersion = {
      version: record.version,
      verified: !sealed ? 'nothing' : isWhole(record.version) ? 'whole' : 'record',
      ...found,
    };
    onVersion?.(verified);
    versions.push(verified);
    previous = record.seal;
  }
  return versions;
}

async function openSeal(
  { seal, version }: VersionResponse,
  key: SealKey,
  problems: string[],
): Promise<SealedVersion | undefined> {
  if (seal === undefined) {
    problems.push(`version ${version} is not sealed: it is published just now, or it was not made by a round`);
    return undefined;
  }
  try {
    return await readSeal(seal, key);
  } catch (error) {
    if (!(error instanceof FlError)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

function compareRecord(task: string, record: VersionResponse, sealed: SealedVersion, problems: string[]): void {
  const { version, origin, publishedAtMs, updates, examples, evaluation } = record;
  const stored = { task, version, origin, publishedAtMs, updates, examples, evaluation };
  for (const name of Object.keys(stored) as (keyof typeof stored)[]) {
    const [found, expected] = [stored[name], sealed[name]].map(canonical);
    if (found !== expected) problems.push(`the record says ${name} ${found}, sealed was ${expected}`);
  }
}

async function compareFiles(
  api: Pick<OperatorApi, 'version' | 'get'>,
  task: string,
  sealed: SealedVersion,
  { found, clientKeys, signal }: { found: Findings; clientKeys: ClientKeys; signal: AbortSignal | undefined },
): Promise<void> {
  const { problems } = found;
  const { modelUrl, manifestUrl } = await api.version(task, sealed.version, signal);
  const files = {
    model: { url: modelUrl, expected: sealed.model },
    manifest: { url: manifestUrl, expected: sealed.manifest },
  };
  for (const [name, { url, expected }] of Object.entries(files)) {
    if (url === undefined && expected === undefined) continue;
    if (url === undefined || expected === undefined) {
      problems.push(url === undefined ? `no ${name}, one was sealed` : `a ${name} that was not sealed`);
      continue;
    }
    const bytes = await api.get(url, signal);
    const digest = hash(bytes);
    if (digest !== expected) problems.push(`the stored ${name} has SHA-256 ${digest}, sealed was ${expected}`);
    else if (name === 'manifest') await compareManifest(bytes, sealed, clientKeys, found);
  }
}

/** The manifest is the sealed one; is it the one of this version, and did the clients say what it says of them? */
async function compareManifest(
  bytes: Uint8Array,
  sealed: SealedVersion,
  keys: ClientKeys,
  found: Findings,
): Promise<void> {
  const manifest = manifestSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  if (manifest.task !== sealed.task || manifest.version !== sealed.version) {
    found.problems.push(`the manifest is of version ${manifest.version} of "${manifest.task}"`);
  }
  const { problems, unproved } = await verifyStatements(manifest, keys);
  found.problems.push(...problems);
  found.unproved.push(...unproved);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** JSON with sorted keys: a store does not keep their order. */
function canonical(value: unknown): string {
  return String(
    JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ),
  );
}
