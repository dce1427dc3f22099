import { AccessDenied, localAccount } from '../service.ts';
import { interruptible, within } from './clock.ts';
import type { Task } from './definition.ts';
import { conclude, evaluateField, evaluateQuantity, refuseOversize } from './evaluate.ts';
import { StateFailure } from './failure.ts';
import { isObject, type Json, type JsonObject, toJson } from './json.ts';
import type { InvokeResult, Outcome, Scope, Visit } from './run.ts';

const integration = { resourceType: 'lambda', resource: 'invoke' };

/** Invokes the function once; the outcome's default output is `{ExecutedVersion, Payload, StatusCode}`. */
export async function runTask(state: Task, visit: Visit): Promise<Outcome> {
  const { run, cursor, signal } = visit.scope;
  const { history, surroundings } = run;
  const call = callOf(await evaluateField(visit, state.arguments));
  refuseOversize(visit, call.payload, 'a task input');
  const timeoutSeconds = await evaluateQuantity(visit, state.timeoutSeconds, 'TimeoutSeconds', {
    integer: true,
    min: 1,
  });
  const parameters = JSON.stringify({ FunctionName: call.functionArn, Payload: call.payload });
  history.emit(cursor, 'TaskScheduled', {
    taskScheduledEventDetails: {
      ...integration,
      region: localAccount.region,
      parameters,
      ...(timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds }),
    },
  });
  history.emit(cursor, 'TaskStarted', { taskStartedEventDetails: integration });
  let payload: Json;
  try {
    const timeoutMs = timeoutSeconds === undefined ? undefined : timeoutSeconds * 1000;
    const expired = () => new StateFailure('States.Timeout', `The task ran longer than ${timeoutSeconds} seconds.`);
    payload = await within(surroundings.clock, timeoutMs, signal, expired, (limit) => {
      return interruptible(invoke(call, visit.scope), limit);
    });
    refuseOversize(visit, payload, 'a result');
  } catch (cause) {
    if (cause instanceof StateFailure) reportFailure(visit, cause);
    throw cause;
  }
  const result: JsonObject = { ExecutedVersion: '$LATEST', Payload: payload, StatusCode: 200 };
  const output = JSON.stringify(result);
  history.emit(cursor, 'TaskSucceeded', { taskSucceededEventDetails: { ...integration, output } });
  return conclude(visit, state, state.next, result, { result });
}

interface Call {
  readonly functionArn: string;
  readonly payload: Json;
}

function callOf(value: Json): Call {
  if (!isObject(value)) throw new StateFailure('States.Runtime', 'Arguments must be an object.');
  const unknown = Object.keys(value).find((name) => name !== 'FunctionName' && name !== 'Payload');
  if (unknown !== undefined) throw new StateFailure('States.Runtime', `Arguments.${unknown} is not supported locally.`);
  const { FunctionName: functionArn, Payload: payload = {} } = value;
  if (typeof functionArn !== 'string' || !functionArn.startsWith('arn:')) {
    throw new StateFailure('States.Runtime', 'Arguments.FunctionName must be the ARN of a function.');
  }
  return { functionArn, payload };
}

/** AWS reports a missing grant as Lambda.AWSLambdaException, which CDK's default Retry repeats for minutes; here it fails at once. */
async function invoke({ functionArn, payload }: Call, { run }: Scope): Promise<Json> {
  let answer: InvokeResult;
  try {
    run.surroundings.guard.authorize(run.machine.roleAccessKeyId, 'lambda:InvokeFunction', functionArn);
    answer = await run.surroundings.invoke(functionArn, payload);
  } catch (cause) {
    if (cause instanceof AccessDenied) throw new StateFailure('States.Permissions', cause.message, { cause });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StateFailure('Lambda.SdkClientException', reason, { cause });
  }
  if ('functionError' in answer) {
    const { errorType, errorMessage, trace } = answer.functionError;
    throw new StateFailure(errorType ?? 'Lambda.Unknown', JSON.stringify({ errorMessage, errorType, trace }));
  }
  return toJson(answer.payload) ?? null;
}

function reportFailure({ scope }: Visit, { error, reason }: StateFailure): void {
  const details = { ...integration, error, ...(reason === undefined ? {} : { cause: reason }) };
  if (error === 'States.Timeout') {
    scope.run.history.emit(scope.cursor, 'TaskTimedOut', { taskTimedOutEventDetails: details });
  } else scope.run.history.emit(scope.cursor, 'TaskFailed', { taskFailedEventDetails: details });
}
