import { setTimeout as sleep } from 'node:timers/promises';
import { startCloud } from '../../local/cloud/cloud.ts';
import type { CloudAnswers, CloudMessage, CloudRequest, Numbered } from './cloud-messages.ts';

/** Entry of a process that is a local cloud, so that it can be killed: `cloud-process.ts ASSEMBLY STATE`. */
const [assembly, dir] = process.argv.slice(2);
const lookEveryMs = 2;

const tell = (message: CloudMessage) => void process.send?.(message);
// Whoever started it is gone: nobody would end it.
process.on('disconnect', () => process.exit(1));

const cloud = await startCloud({ assembly, dir, log: (line) => tell({ kind: 'log', line }) });

const answers: {
  [K in CloudRequest['kind']]: (request: Extract<CloudRequest, { kind: K }>) => Promise<CloudAnswers[K]>;
} = {
  async kill({ victim, afterMs, withinMs }) {
    const endMs = performance.now() + withinMs;
    const busy = () =>
      cloud
        .functions()
        .find(({ name }) => name === victim)
        ?.environments.find(({ requestId }) => requestId !== undefined)?.pid;
    while (busy() === undefined && performance.now() < endMs) await sleep(lookEveryMs);
    if (busy() !== undefined) await sleep(afterMs);
    // It may be done by now: then the next invocation is killed where it begins.
    while (busy() === undefined && performance.now() < endMs) await sleep(lookEveryMs);
    const pid = busy();
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    return { killed: pid !== undefined };
  },
  async idle() {
    await cloud.idle();
    return {};
  },
  async vitals() {
    // Without a collection the heap is what nobody has looked at yet.
    globalThis.gc?.();
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      resources: process.getActiveResourcesInfo().length,
      functions: cloud.functions(),
    };
  },
};

function answer(request: CloudRequest): Promise<unknown> {
  switch (request.kind) {
    case 'kill':
      return answers.kill(request);
    case 'idle':
      return answers.idle(request);
    case 'vitals':
      return answers.vitals(request);
  }
}

process.on('message', async (request: Numbered) => {
  tell({ kind: 'answer', id: request.id, answer: await answer(request) });
});

const { region, ...credentials } = cloud.credentials;
const { s3, sqs, dynamodb, states } = cloud.endpoints;
tell({
  kind: 'up',
  address: {
    endpoint: cloud.outputs.ApiUrl.replace(/\/+$/, ''),
    endpoints: { s3, sqs, dynamodb, states },
    outputs: cloud.outputs,
    region,
    credentials,
  },
});
