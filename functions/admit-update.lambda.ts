import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { admitUpdate } from '../shared/orchestrator/admit-update.ts';
import { noteFailure } from '../shared/orchestrator/dead-letters.ts';
import { LayoutCache } from '../shared/orchestrator/read-object.ts';
import { onDeadline } from '../shared/orchestrator/start-round.ts';
import { parseArrivalMessage } from '../shared/wire/arrivals.ts';
import { awsFailures } from './aws/dead-letters.ts';
import { awsPorts } from './aws/ports.ts';
import { logger } from './logger.ts';

const ports = awsPorts(
  'rounds',
  'models',
  'updates',
  'queue',
  'starter',
  'gauge',
  'clock',
  'telemetry',
  'compressors',
  'clients',
);
const failurePorts = { failures: awsFailures(), clock: ports.clock };
const layouts = new LayoutCache(ports.models);
const processor = new BatchProcessor(EventType.SQS);

/** A record that throws goes back to the queue alone, and after five tries to the dead-letter queue. */
async function admitRecord({ body, messageId, attributes }: SQSRecord): Promise<void> {
  try {
    const message = parseArrivalMessage(body);
    if (message.kind === 'deadline') await onDeadline(ports, message);
    else for (const arrival of message.arrivals) await admitUpdate(ports, layouts, arrival);
  } catch (error) {
    logger.error('arrival failed', { messageId, error });
    const failed = { message: messageId, tries: Number(attributes.ApproximateReceiveCount) };
    await noteFailure(failurePorts, failed, error).catch((cause: unknown) => {
      logger.warn('reason not recorded', { messageId, error: cause });
    });
    throw error;
  }
}

export const handler = (event: SQSEvent, context: Context) =>
  processPartialResponse(event, admitRecord, processor, { context, throwOnFullBatchFailure: false });
