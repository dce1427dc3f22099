import { startEventSource } from '../lambda/event-source.ts';
import { queueUrlOf } from '../template/kinds/storage.ts';
import type { Ground } from './ground.ts';
import type { LocalUrls } from './local-urls.ts';
import type { Functions } from './start-functions.ts';

/** Starts feeding functions from queues. */
export function startSources(ground: Ground, functions: Functions, urls: LocalUrls, sqsUrl: string): void {
  const { plan, principals, log } = ground;
  const byArn = new Map(plan.functions.map((plan) => [plan.arn, plan]));
  for (const mapping of plan.mappings) {
    const fed = byArn.get(mapping.functionArn);
    const queue = plan.queues.find(({ arn }) => arn === mapping.queueArn);
    if (!fed || !queue) throw new Error(`event source ${mapping.logicalId} points nowhere`);
    const source = startEventSource({
      mapping,
      endpoint: sqsUrl,
      queueUrl: urls.text(queueUrlOf(queue.name)),
      credentials: principals.credentialsOf(fed.roleArn),
      concurrency: Math.min(ground.concurrency, fed.reservedConcurrency ?? Number.POSITIVE_INFINITY),
      invoke: (event) => functions.invokeWhenReady(mapping.functionArn, event),
      failed: (error) => log(`event source ${mapping.logicalId}: ${error}`),
    });
    ground.onClose(() => source.close());
  }
}
