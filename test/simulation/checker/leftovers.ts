import type { Evidence } from './evidence.ts';
import { type ManifestItem, readJsonObject } from './manifest.ts';

/**
 * What nobody needs any more: uploads in parts, files that steps hand to each other, bytes of aggregated updates. After an
 * execution that was stopped, timed out or could not even release, the lifecycle rules are all there is; those are left out.
 */
export function checkLeftovers(evidence: Evidence): string[] {
  const { models, uploads, tickets, updates, journal, versions, open, task } = evidence;
  const found: string[] = [];
  if (open.length > 0) found.push(`${open.length} tickets are open after the sweep`);
  const abandoned = new Set([...journal.abandoned].map((name) => name.replace(/'$/, '')));
  const excused = (round: string) => {
    const [version, attempt] = round.split('-');
    return abandoned.has(`sim-v${version}-a${attempt}`);
  };
  for (const key of models.keys()) {
    const [, round, rest] = /^tasks\/sim\/rounds\/([^/]+)\/(.*)$/.exec(key) ?? [];
    if (round === undefined || rest === undefined || excused(round)) continue;
    // What a function that had been given up writes after the clean-up stays: a few bytes that nothing reads.
    if (/^(sums|measures|losses)\//.test(rest) && !journal.rewritten.has(key)) found.push(`left over: ${key}`);
  }
  for (const [key] of models) {
    if (!key.endsWith('/manifest.json')) continue;
    const manifest = readJsonObject<ManifestItem>(evidence, key);
    if (!manifest || excused(`${manifest.version}-${manifest.attempt}`)) continue;
    // A freeze that had been given up may write its manifest when the release has looked for one already.
    if (journal.ghosts.has(`Freeze v${manifest.version}-a${manifest.attempt}`)) continue;
    for (const { key: file, uploadId } of [manifest.model, ...manifest.state]) {
      if (uploads.has(uploadId)) found.push(`an upload in parts was neither joined nor given up: ${file}`);
    }
  }
  const cached = new Set<string>();
  const cacheKey = versions.at(-1)?.model.cacheKey;
  const cache = readJsonObject<Record<string, { location: { key: string } }>>(evidence, cacheKey);
  for (const { location } of Object.values(cache ?? {})) cached.add(location.key);
  for (const { state, upload, version = 0 } of tickets) {
    if (state !== 'aggregated' || !upload || !updates.has(upload.key) || version > (task?.settledVersion ?? -1))
      continue;
    if (!cached.has(upload.key) && !journal.tamperedKeys.has(upload.key)) {
      found.push(`bytes of an aggregated update are left: ${upload.key} of version ${version}`);
    }
  }
  return found;
}
