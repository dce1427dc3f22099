import { FlError } from '../../../shared/core/errors.ts';
import type { LocalGuard } from '../iam/guard.ts';
import { AccessDenied } from '../service.ts';
import type { CloudPlan } from '../template/plan.ts';
import type { Principals } from './principals.ts';

/**
 * The grants that an account checks while it makes a notification or an event source mapping: without them it would not deploy.
 * @throws {FlError} `grant-missing`
 */
export function checkGrants(plan: CloudPlan, guard: LocalGuard, principals: Principals): void {
  for (const { arn, name, notifications } of plan.buckets) {
    for (const { queueArn } of notifications) {
      required(`notifications of bucket ${name}`, () => {
        guard.authorizeService('s3.amazonaws.com', 'sqs:SendMessage', queueArn, { 'aws:SourceArn': arn });
      });
    }
  }
  for (const { logicalId, queueArn, functionArn } of plan.mappings) {
    const polled = plan.functions.find(({ arn }) => arn === functionArn);
    if (!polled) continue;
    const { accessKeyId } = principals.credentialsOf(polled.roleArn);
    for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']) {
      required(`event source ${logicalId}`, () => guard.authorize(accessKeyId, action, queueArn));
    }
  }
}

function required(where: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof AccessDenied)
      throw new FlError('grant-missing', `${where}: ${error.message}`, { cause: error });
    throw error;
  }
}
