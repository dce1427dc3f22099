import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KillableCloud } from '../killable-cloud.ts';
import type { RawCloud } from '../raw-cloud.ts';

/** One look at everything: column name -> value. Columns that were not looked at are left out. */
export type Sample = Readonly<Record<string, number>>;

const megabyte = 1024 * 1024;

/** @param deep also counts items, objects and bytes on disk, which is work for the cloud */
export async function sample(
  cloud: KillableCloud,
  raw: RawCloud,
  { state, deep }: { readonly state: string; readonly deep: boolean },
): Promise<Sample> {
  const { rssBytes, heapUsedBytes, heapTotalBytes, externalBytes, resources, functions } = await cloud.ask({
    kind: 'vitals',
  });
  const pids = functions.flatMap(({ name, environments }) => environments.map(({ pid }) => ({ name, pid })));
  const rss = rssOf(pids.map(({ pid }) => pid));
  const byFunction: Record<string, number> = {};
  for (const { name, pid } of pids) {
    const column = `rssMb.${name.replace('tributary-dev-', '')}`;
    byFunction[column] = Math.max(byFunction[column] ?? 0, (rss.get(pid) ?? 0) / megabyte);
  }
  const depths = await Promise.all(
    ['arrivals', 'arrivals-dead'].map(async (name) => [name, await raw.depth(`tributary-dev-${name}`)] as const),
  );
  return {
    'rssMb.cloud': rssBytes / megabyte,
    'heapMb.cloud': heapUsedBytes / megabyte,
    'heapTotalMb.cloud': heapTotalBytes / megabyte,
    'externalMb.cloud': externalBytes / megabyte,
    'rssMb.functions': [...rss.values()].reduce((sum, bytes) => sum + bytes, 0) / megabyte,
    processes: rss.size,
    resources,
    ...memoryOf(cloud.pid),
    ...filesOf(cloud.pid),
    ...byFunction,
    ...Object.fromEntries(
      depths.flatMap(([name, { visible, inFlight, delayed }]) => [
        [`queue.${name}`, visible + inFlight],
        [`queue.${name}.delayed`, delayed],
      ]),
    ),
    ...(deep && { ...(await itemsOf(raw)), ...(await objectsOf(raw)), ...diskOf(state) }),
  };
}

/** Resident bytes of processes, by `ps`, which Linux and macOS share. */
function rssOf(pids: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  if (pids.length === 0) return found;
  let text: string;
  try {
    text = execFileSync('ps', ['-o', 'pid=,rss=', '-p', pids.join(',')], { encoding: 'utf8' });
  } catch {
    return found; // All of them have ended meanwhile.
  }
  for (const line of text.trim().split('\n')) {
    const [pid, kilobytes] = line.trim().split(/\s+/).map(Number);
    found.set(pid, kilobytes * 1024);
  }
  return found;
}

/** Where /proc tells: what a process keeps for itself, and the files that it has mapped, which the system takes back when it wants. */
function memoryOf(pid: number | undefined): Sample {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return {};
  const text = readFileSync(file, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { 'anonMb.cloud': kilobytes('RssAnon') / 1024, 'mappedMb.cloud': kilobytes('RssFile') / 1024 };
}

/** Open files and sockets, where /proc tells. */
function filesOf(pid: number | undefined): Sample {
  const folder = `/proc/${pid}/fd`;
  return existsSync(folder) ? { openFiles: readdirSync(folder).length } : {};
}

/** The column that counts the items of a partition's kind. */
export const itemColumn = (pk: string) => `items.${pk.split('#')[0].toLowerCase()}`;

async function itemsOf(raw: RawCloud): Promise<Sample> {
  const counts: Record<string, number> = {};
  for await (const { pk } of raw.scan()) {
    const column = itemColumn(pk);
    counts[column] = (counts[column] ?? 0) + 1;
  }
  return counts;
}

async function objectsOf(raw: RawCloud): Promise<Sample> {
  const counts = { 'objects.models': 0, 'objects.updates': 0 };
  for await (const _ of raw.keys(raw.modelsBucket)) counts['objects.models']++;
  for await (const _ of raw.keys(raw.updatesBucket)) counts['objects.updates']++;
  return counts;
}

/** Megabytes of each part of the cloud's state. */
function diskOf(state: string): Sample {
  const sizes: Record<string, number> = {};
  for (const part of readdirSync(state, { withFileTypes: true })) {
    if (part.isDirectory()) sizes[`diskMb.${part.name}`] = bytesIn(join(state, part.name)) / megabyte;
  }
  return sizes;
}

function bytesIn(folder: string): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    // It may be gone by now.
    if (entry.isFile()) sum += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return sum;
}
