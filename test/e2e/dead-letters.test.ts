import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, expect, test } from 'vitest';
import type { Cloud } from '../../local/cloud/cloud.ts';
import { hurryArrivals } from '../chaos/impatient-assembly.ts';
import { revoke } from './revoke.ts';
import { contribute, createSmallTask, freshAssembly, startFederation } from './small-federation.ts';

/** The stack with two quick tries in place of five slow ones, and perhaps without an action that admission needs. */
async function impatientAssembly(revoked?: string): Promise<string> {
  const assembly = await freshAssembly();
  hurryArrivals(assembly, 5, 2);
  if (revoked !== undefined) revoke(assembly, 'AdmitUpdateRole', revoked);
  return assembly;
}

async function sendArrival({ credentials, endpoints, outputs }: Cloud, body: string): Promise<void> {
  const sqs = new SQSClient({ endpoint: endpoints.sqs, region: credentials.region, credentials: { ...credentials } });
  const account = /^arn:aws:states:[^:]+:(\d+):/.exec(outputs.RoundMachineArn)?.[1];
  const QueueUrl = `${endpoints.sqs}/${account}/tributary-dev-arrivals`;
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
  sqs.destroy();
}

const state = mkdtempSync(join(tmpdir(), 'tributary-e2e-dead-letters-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

test('an arrival that cannot be admitted turns up with its reason, and after a redrive is counted once', async () => {
  const broken = await startFederation(await impatientAssembly('dynamodb:PutItem'), state);
  try {
    await createSmallTask(broken.api, { task: 'poisoned', round: { buffer: 1 } });
    await contribute(broken, 'poisoned', 'client', () => 0.1);
    await sendArrival(broken.cloud, 'no arrival at all');
    await expect.poll(async () => (await broken.api.deadLetters()).deadLetters.length, { timeout: 60_000 }).toBe(2);
    const { deadLetters, total } = await broken.api.deadLetters();
    expect(total).toBe(2);
    const byKind = new Map(deadLetters.map((letter) => [letter.kind, letter]));
    expect(byKind.get('upload')).toMatchObject({
      task: 'poisoned',
      tries: 2,
      reason: 'AccessDeniedException',
      detail: expect.stringMatching(/not authorized to perform: dynamodb:PutItem/),
    });
    expect(byKind.get('unreadable')).toMatchObject({
      tries: 2,
      reason: 'arrival-malformed',
      body: 'no arrival at all',
    });
    expect(await broken.api.task('poisoned')).toMatchObject({ version: 0, updates: { admitted: 0, open: 1 } });
  } finally {
    await broken.close();
  }

  const mended = await startFederation(await impatientAssembly(), state);
  try {
    const { deadLetters } = await mended.api.deadLetters();
    const [upload] = deadLetters.filter(({ kind }) => kind === 'upload');
    const [rubbish] = deadLetters.filter(({ kind }) => kind === 'unreadable');
    await sendArrival(mended.cloud, upload.body); // S3 may send its event twice.
    expect(await mended.api.redriveDeadLetters({ messages: [upload.id] })).toMatchObject({ moved: [upload.id] });
    expect(await mended.api.dropDeadLetters({ messages: [rubbish.id, upload.id] })).toMatchObject({
      moved: [rubbish.id],
      missing: [upload.id],
    });
    await expect.poll(async () => (await mended.api.task('poisoned')).version, { timeout: 60_000 }).toBe(1);
    await mended.cloud.idle();
    expect(await mended.api.task('poisoned')).toMatchObject({
      version: 1,
      updates: { admitted: 1, aggregated: 1, buffered: 0, quarantined: 0, open: 0 },
    });
    expect(await mended.api.deadLetters()).toEqual({ deadLetters: [], total: 0 });
  } finally {
    await mended.close();
  }
});
