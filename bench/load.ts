import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { synthesize } from '../local/cli/synthesize.ts';
import { startCloud } from '../local/cloud/cloud.ts';
import { openArena } from './load/arena.ts';
import { audit } from './load/audit.ts';
import { generate } from './load/generate.ts';
import type { Answer } from './load/generator.ts';

const clientCount = 200;
const tasksEach = 10;

/**
 * Signed requests for tickets through the local API, over more and more connections, more than the tasks have tickets for. After each
 * step the table is looked through: the figures only count if every state is right.
 * @param args `--requests 1500` for each step, `--connections 1,10,50,200`
 * @throws {Error} on a wrong state, naming it
 */
export async function loadBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: 'string', default: '1500' },
      connections: { type: 'string', default: '1,10,50,200' },
    },
  });
  const requests = Number(values.requests);
  // Two in three requests find a ticket.
  const cap = Math.ceil((2 * requests) / 3 / tasksEach);
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bench-load-'));
  const assembly = join(folder, 'assembly');
  await synthesize(assembly);
  const cloud = await startCloud({ assembly, dir: join(folder, 'state') });
  try {
    cloud.warm();
    const arena = await openArena(cloud, clientCount);
    console.log(`load, ${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}; ${clientCount} clients`);
    console.log('connections  tickets/s  answers/s     p50     p99    most   load  answers');
    for (const connections of values.connections.split(',').map(Number)) {
      const tasks = await arena.tasks(`with-${connections}`, tasksEach, cap);
      const { endpoint, clients } = arena;
      const result = await generate({ endpoint, clients, tasks, connections, requests });
      await cloud.idle();
      const faults = await audit({ cloud, assembly }, result, { tasks, cap });
      if (faults.length > 0) throw new Error(`with ${connections} connections: ${faults.slice(0, 5).join('; ')}`);
      const { answers, seconds, p50Ms, p99Ms, mostMs } = result;
      const issued = answers.filter(({ status }) => status === 201).length;
      const figures = [
        [String(connections), 11],
        [(issued / seconds).toFixed(1), 10],
        [(answers.length / seconds).toFixed(1), 10],
        [`${p50Ms} ms`, 7],
        [`${p99Ms} ms`, 7],
        [`${mostMs} ms`, 7],
        [loadavg()[0].toFixed(1), 6],
      ] as const;
      console.log(`${figures.map(([text, width]) => text.padStart(width)).join(' ')}  ${tallyOf(answers)}`);
    }
  } finally {
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function tallyOf(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { status, code = 'API Gateway' } of answers) {
    const kind = status === 201 ? '201' : `${status} ${code}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${count} x ${kind}`).join(', ');
}
