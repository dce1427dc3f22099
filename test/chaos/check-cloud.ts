import type { Evidence } from '../simulation/checker/evidence.ts';
import type { RawCloud } from './raw-cloud.ts';
import type { Witness } from './witness.ts';

/** What the simulation's checker does not look at: that no upload was forgotten, and that everything came to an end. */
export async function checkCloud(cloud: RawCloud, evidence: Evidence, witness: Witness): Promise<string[]> {
  const found: string[] = [];
  const tickets = new Map(evidence.tickets.flatMap((ticket) => (ticket.upload ? [[ticket.upload.key, ticket]] : [])));
  for (const key of witness.acknowledged) {
    const state = tickets.get(key)?.state ?? 'unknown';
    if (state === 'unknown' || state === 'uploading' || state === 'issued') {
      found.push(`${key} was stored, and its ticket is ${state}`);
    }
  }
  for (const key of evidence.updates.keys()) if (!tickets.has(key)) found.push(`${key} belongs to no ticket`);
  const manifests = [...evidence.models.keys()].flatMap((key) => {
    const manifest = key.endsWith('/manifest.json') ? evidence.models.get(key) : undefined;
    return manifest ? [Buffer.from(manifest).toString()] : [];
  });
  for (const id of evidence.uploads.keys()) {
    // A freeze that dies before it has written its manifest leaves these to the bucket's lifecycle rule.
    if (manifests.some((text) => text.includes(id)))
      found.push(`an upload in parts of a manifest is unfinished: ${id}`);
  }
  for (const { name, status } of evidence.executions) if (status === 'RUNNING') found.push(`${name} still runs`);
  for (const queue of ['arrivals', 'arrivals-dead']) {
    const { visible, inFlight } = await cloud.depth(`tributary-dev-${queue}`);
    if (visible + inFlight > 0) found.push(`${visible + inFlight} messages are left in ${queue}`);
  }
  const { task } = evidence;
  if (task?.settledVersion !== task?.version) {
    found.push(`version ${task?.version} is published, settled are ${task?.settledVersion}`);
  }
  return found;
}
