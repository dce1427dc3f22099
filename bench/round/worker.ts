import { createInterface } from 'node:readline';
import { awsPorts } from '../../functions/aws/ports.ts';
import { nodeCompressors } from '../../functions/compressors.ts';
import { aggregateCell } from '../../shared/orchestrator/aggregate.ts';
import { discardTile } from './discard.ts';
import { fileStore } from './file-store.ts';
import { installMeters, metered } from './meters.ts';
import { discardPlainBody } from './plain-body.ts';
import type { WorkOrder } from './worker-process.ts';

// One aggregating process, bundled as the function is: told what to do in lines of JSON, answers each with a line.
installMeters();
const s3Ports = awsPorts('models', 'updates', 'compressors');
process.stdout.write('"ready"\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { cells, folder, discard, plain }: WorkOrder = JSON.parse(line);
  const ports = folder === undefined ? s3Ports : portsOn(folder);
  const { meters } = await metered(async () => {
    if (plain) await discardPlainBody(plain);
    for (const cell of cells) await (discard ? discardTile(ports, cell) : aggregateCell(ports, cell));
  });
  process.stdout.write(`${JSON.stringify(meters)}\n`);
}

function portsOn(folder: string) {
  const store = fileStore(folder);
  return { models: store, updates: store, compressors: nodeCompressors };
}
