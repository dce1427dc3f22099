import type { QueueSettings } from './config.ts';
import { invalidParameter } from './errors.ts';
import type { QueueDepth } from './queue.ts';

/**
 * GetQueueAttributes: all values are text.
 * @throws {AwsJsonError} InvalidParameterValue naming an attribute that the local cloud does not know
 */
export function queueAttributes(
  settings: QueueSettings,
  depth: QueueDepth,
  wanted: readonly string[],
): Record<string, string> {
  const { redrive } = settings;
  const all: Record<string, string> = {
    QueueArn: settings.arn,
    ApproximateNumberOfMessages: String(depth.visible),
    ApproximateNumberOfMessagesNotVisible: String(depth.inFlight),
    ApproximateNumberOfMessagesDelayed: String(depth.delayed),
    DelaySeconds: String(settings.delayMs / 1000),
    VisibilityTimeout: String(settings.visibilityMs / 1000),
    MessageRetentionPeriod: String(settings.retentionMs / 1000),
    ReceiveMessageWaitTimeSeconds: String(settings.waitMs / 1000),
    MaximumMessageSize: String(settings.maxMessageBytes),
    SqsManagedSseEnabled: 'false',
  };
  if (redrive) {
    const { deadLetterArn: deadLetterTargetArn, maxReceiveCount } = redrive;
    all.RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
  }
  if (wanted.includes('All')) return all;
  // AWS leaves out what a queue does not have, such as a redrive policy.
  const unknown = wanted.find((name) => !Object.hasOwn(all, name) && name !== 'RedrivePolicy');
  if (unknown !== undefined) throw invalidParameter(`Unknown Attribute ${unknown}.`);
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name)));
}
