import { createHash } from 'node:crypto';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { TributaryClient } from '../../client/typescript/client.ts';
import { enrol } from '../../client/typescript/enrol.ts';
import type { Invitation } from '../../shared/wire/identity/api.ts';
import { encodeSafetensors } from '../../shared/wire/safetensors.ts';

// Clients that train nothing, in a process of their own: tickets, models, then prepared updates, a few at a time.
const { values: options } = parseArgs({
  options: {
    endpoint: { type: 'string', default: '' },
    task: { type: 'string', default: '' },
  },
});
/** Transfers under way at once: all clients share one machine's network. */
const atOnce = 4;

const tell = (event: string) => process.stdout.write(`${JSON.stringify({ event, atMs: Date.now() })}\n`);

async function each<T, U>(items: readonly T[], work: (item: T, index: number) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  let next = 0;
  const lane = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i], i);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

const { endpoint, task } = options;
// The operator's side hands over the invitations.
const [invited] = await once(createInterface({ input: process.stdin }), 'line');
const invitations: readonly Invitation[] = JSON.parse(invited);
const clients = await each(
  invitations,
  async ({ client, code }) => new TributaryClient({ endpoint, identity: await enrol({ endpoint, client, code }) }),
);
tell('start');
const tickets = await each(clients, async (client) => {
  const answer = await client.requestTicket(task);
  if (answer.kind !== 'issued') throw new Error(`no ticket: ${answer.kind}`);
  return answer.ticket;
});
tell('tickets');
const models = await each(clients, async (client, i) => {
  const { params } = await client.downloadModel(tickets[i]);
  return i === 0 ? params : undefined;
});
tell('models');
const layout = models[0]?.layout;
if (!layout) throw new Error('no model');
const random = Float32Array.from({ length: layout.size }, () => Math.random() - 0.5);
const updates = tickets.map(({ baseVersion }, i) => {
  const values = new Float32Array(layout.size);
  const shift = 7_919 * (i + 1);
  values.set(random.subarray(shift));
  values.set(random.subarray(0, shift), layout.size - shift);
  const metadata = { task, baseVersion: String(baseVersion), examples: '10', codec: 'float32' };
  const bytes = encodeSafetensors({ layout, values, metadata });
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex'), examples: 10, metrics: {} };
});
tell('upload');
await each(clients, (client, i) => client.upload(tickets[i], updates[i]));
tell('uploaded');
// Until it is told to end, so that its CPU time can be read.
process.stdin.resume();
