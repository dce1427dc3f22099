import type { Evidence, TaskItem, TicketItem, VersionItem } from '../simulation/checker/evidence.ts';
import { type Item, type RawCloud, withoutKeys } from './raw-cloud.ts';
import type { Witness } from './witness.ts';

/** What the simulation's checker wants to see, read from a cloud that has come to rest. */
export async function evidenceFrom(cloud: RawCloud, task: string, witness: Witness): Promise<Evidence> {
  const byPk = new Map<string, Item[]>();
  for await (const item of cloud.scan()) byPk.set(item.pk, [...(byPk.get(item.pk) ?? []), item]);
  const under = <T>(pk: string) => (byPk.get(pk) ?? []).map((item) => withoutKeys(item) as T);
  const tickets = [...byPk.keys()]
    .filter((pk) => pk.startsWith('TICKET#'))
    .flatMap((pk) => under<TicketItem & { readonly task: string }>(pk))
    .filter((ticket) => ticket.task === task);
  const [head, counts] = ['TASK', 'COUNTS'].map((sk) => byPk.get(`TASK#${task}`)?.find((item) => item.sk === sk));
  const executions = await cloud.executions();
  return {
    task: head && ({ ...withoutKeys(head), config: JSON.parse(String(head.config)) } as unknown as TaskItem),
    tickets,
    open: (byPk.get(`OPEN#${task}`) ?? []).map(({ sk, ticket }) => ({ client: sk, ticket: String(ticket) })),
    buffer: under(`BUFFER#${task}`),
    versions: under<VersionItem>(`VERSIONS#${task}`),
    quarantine: under(`QUARANTINE#${task}`),
    counts: counts ? numbersOf(withoutKeys(counts)) : {},
    models: await contentOf(cloud, cloud.modelsBucket),
    updates: await contentOf(cloud, cloud.updatesBucket),
    uploads: new Map((await cloud.uploadIds(cloud.modelsBucket)).map((id) => [id, 0])),
    executions,
    journal: {
      updates: witness.uploads,
      publications: witness.publications,
      // Nobody watches single writes here: that replays write the same bytes, only the recomputed models tell.
      written: new Map(),
      tamperedKeys: new Set(),
      rewritten: new Set(),
      ghosts: new Set(),
      // `tributary model verify` misses seals that should be there.
      sealed: new Set(),
      seals: [],
      abandoned: new Set(
        executions.filter(({ status }) => status === 'ABORTED' || status === 'TIMED_OUT').map(({ name }) => name),
      ),
    },
  };
}

async function contentOf(cloud: RawCloud, bucket: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for await (const key of cloud.keys(bucket)) {
    const bytes = await cloud.object(bucket, key);
    if (bytes) found.set(key, bytes);
  }
  return found;
}

const numbersOf = (record: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, Number(value)]));
