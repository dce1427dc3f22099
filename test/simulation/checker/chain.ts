import { createHash } from 'node:crypto';
import { rejectedOf } from './accounting.ts';
import type { Evidence, VersionItem } from './evidence.ts';
import { type ManifestItem, readJsonObject } from './manifest.ts';

/** Law 3: versions form one chain, and are at the end what they were when they were published. */
export function checkChain(evidence: Evidence): string[] {
  const { versions, task, models, journal } = evidence;
  const found: string[] = [];
  if ((task?.version ?? -1) !== versions.length - 1) {
    found.push(`the task is at version ${task?.version}, with ${versions.length} versions`);
  }
  for (const [i, record] of versions.entries()) {
    const { version } = record;
    if (version !== i) found.push(`version ${version} stands at place ${i}`);
    const then = journal.publications.filter((publication) => publication.version === version);
    if (then.length !== 1) found.push(`version ${version} was published ${then.length} times`);
    for (const [key, hash] of Object.entries(then[0]?.files ?? {})) {
      const bytes = models.get(key);
      const now = bytes ? createHash('sha256').update(bytes).digest('hex') : 'missing';
      if (hash === 'missing') found.push(`version ${version}: ${key} was missing when it was published`);
      else if (now !== hash) found.push(`version ${version}: ${key} has changed since it was published`);
    }
    // Measured and sealed once it is out.
    const { evaluation: _, seal: __, ...kept } = record;
    if (then[0] && JSON.stringify(kept) !== then[0].record) found.push(`version ${version}: its record has changed`);
    found.push(...checkLink(evidence, record, versions[i - 1], versions));
  }
  const newest = versions.at(-1);
  if (newest && task?.model?.key !== newest.model.key) found.push(`the task points at ${task?.model?.key}`);
  return found;
}

function checkLink(
  evidence: Evidence,
  record: VersionItem,
  parent: VersionItem | undefined,
  versions: readonly VersionItem[],
): string[] {
  const { version, origin, model } = record;
  const total = parent?.aggregatedTotal ?? 0;
  if (origin.kind !== 'round') {
    const source = origin.kind === 'rollback' ? versions[origin.to ?? -1] : undefined;
    const found = record.aggregatedTotal === total ? [] : [`version ${version}: total ${record.aggregatedTotal}`];
    if (source && source.model.key !== model.key) found.push(`version ${version} is no rollback to ${origin.to}`);
    return found;
  }
  const manifest = readJsonObject<ManifestItem>(evidence, record.manifestKey);
  if (!manifest || !parent) return [`version ${version} has no ${parent ? 'manifest' : 'parent'}`];
  const found: string[] = [];
  if (manifest.version !== version) found.push(`version ${version} has the manifest of ${manifest.version}`);
  if (manifest.base.key !== parent.model.key) found.push(`version ${version} does not start from its parent`);
  if (manifest.model.key !== model.key) found.push(`version ${version} points at another model`);
  const rejected = rejectedOf(evidence, manifest);
  const taken = manifest.updates.filter((_, i) => !rejected.has(i));
  const clients = new Set(manifest.updates.map(({ client, staleness }) => `${client} ${staleness}`));
  if (evidence.task?.config.round.mode === 'sync' && clients.size < manifest.updates.length) {
    found.push(`version ${version}: a client is twice in a synchronous round`);
  }
  const examples = taken.reduce((sum, update) => sum + update.examples, 0);
  const staleness: Record<string, number> = {};
  for (const update of taken) staleness[update.staleness] = (staleness[update.staleness] ?? 0) + 1;
  const summary = [record.updates, record.examples, record.rejected, record.aggregatedTotal, record.staleness];
  const expected = [taken.length, examples, rejected.size, total + taken.length, staleness];
  if (JSON.stringify(summary) !== JSON.stringify(expected)) {
    found.push(`version ${version}: its record says ${JSON.stringify(summary)}, expected ${JSON.stringify(expected)}`);
  }
  return found;
}

/** Law 2: whoever wrote a file or a part again, wrote the same bytes. A manifest is a choice, so only the first counts. */
export function checkReplays({ journal }: Evidence): string[] {
  return [...journal.written].flatMap(([place, hashes]) =>
    hashes.size > 1 && !place.endsWith('/manifest.json') ? [`${place} was written as ${hashes.size} contents`] : [],
  );
}
