import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Json } from '../template/assembly.ts';
import type { AuthorizerPlan } from '../template/plan.ts';
import { type ApiRequest, authorizerEvent, type Caller } from './event.ts';
import type { HttpApiOptions } from './http-api.ts';
import { type ApiReply, message } from './reply.ts';

/** "Timeout for Lambda authorizer response" among the quotas of HTTP APIs. */
const answerTimeoutMs = 10_000;

const answerSchema = z.looseObject({
  isAuthorized: z.boolean(),
  context: z.record(z.string(), z.json()).nullish(),
});

interface Question {
  readonly described: ApiRequest;
  readonly routeArn: string;
  /** The ARN that the function's permission must name. */
  readonly source: string;
}

/**
 * Asks a Lambda authorizer. Without its identity sources a request is a 401, denied it is a 403; an authorizer that fails, is
 * slow or answers in another form is a 500. "Control access to HTTP APIs with AWS Lambda authorizers", developer guide.
 */
export async function askAuthorizer(
  { plan, mayInvoke, invoke, fault }: Pick<HttpApiOptions, 'plan' | 'mayInvoke' | 'invoke' | 'fault'>,
  { functionArn, identityHeaders }: AuthorizerPlan,
  { described, routeArn, source }: Question,
): Promise<Caller | ApiReply> {
  const identity = identityHeaders.map((name) => [described.headers[name] ?? []].flat().join(','));
  if (identity.includes('')) return message(401, 'Unauthorized');
  const failed = (what: string) => {
    fault(`API ${plan.logicalId}: authorizer ${functionArn} ${what}`);
    return message(500, 'Internal Server Error');
  };
  if (!mayInvoke(functionArn, source)) return failed(`has no AWS::Lambda::Permission for ${source}`);
  const giveUp = new AbortController();
  const result = await Promise.race([
    invoke(functionArn, authorizerEvent(described, routeArn, identity)),
    sleep(answerTimeoutMs, undefined, { signal: giveUp.signal }),
  ]).finally(() => giveUp.abort());
  if (!result) return failed(`did not answer within ${answerTimeoutMs} ms`);
  if (!('payload' in result)) return failed(`failed: ${result.functionError.errorType}`);
  const { data } = answerSchema.safeParse(result.payload);
  if (!data) return failed('gave no simple response');
  if (!data.isAuthorized) return message(403, 'Forbidden');
  const context: Json = data.context ?? null;
  return { kind: 'lambda', context };
}
