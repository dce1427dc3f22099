import { randomUUID } from 'node:crypto';
import type { Guard } from '../service.ts';
import { ApiError, validationError } from './api-error.ts';
import { pageOf } from './api-page.ts';
import type { ApiRequest } from './api-request.ts';
import { type Execution, NameTaken, type Registered } from './execution.ts';
import type { Executions } from './executions.ts';
import type { HistoryEvent } from './history.ts';
import type { Json } from './json.ts';

/** What the operations work on. */
export interface ApiState {
  readonly guard: Guard;
  readonly machines: ReadonlyMap<string, Registered>;
  readonly executions: Executions;
  readonly createdMs: number;
  now(): number;
}

type Reply = Readonly<Record<string, Json | undefined | readonly HistoryEvent[]>>;
type Operation = (api: ApiState, request: ApiRequest, accessKeyId: string) => Reply;

const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'];

/** The operations that exist locally, by the name behind `AWSStepFunctions.`. Times in replies are epoch seconds. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries({
    StartExecution(api, request, accessKeyId) {
      request.knowsOnly('stateMachineArn', 'name', 'input');
      const arn = request.arn('stateMachineArn');
      api.guard.authorize(accessKeyId, 'states:StartExecution', arn);
      const machine = machineAt(api, arn);
      const name = request.executionName() ?? randomUUID();
      try {
        const { start } = api.executions.start(machine, name, request.executionInput());
        return { executionArn: start.arn, startDate: start.startMs / 1000 };
      } catch (cause) {
        if (!(cause instanceof NameTaken)) throw cause;
        throw new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${cause.message}'`);
      }
    },

    DescribeExecution(api, request, accessKeyId) {
      const execution = executionAt(api, request.knowsOnly('executionArn'), accessKeyId, 'states:DescribeExecution');
      const { start, end } = execution;
      return {
        ...summaryOf(execution),
        input: start.inputText,
        inputDetails: { included: true },
        ...(end?.output === undefined ? {} : { output: end.output, outputDetails: { included: true } }),
        error: end?.error,
        cause: end?.cause,
        redriveCount: 0,
        redriveStatus: 'NOT_REDRIVABLE',
        redriveStatusReason: 'Redrive is not supported locally',
      };
    },

    ListExecutions(api, request, accessKeyId) {
      request.knowsOnly('stateMachineArn', 'statusFilter', 'maxResults', 'nextToken');
      const arn = request.arn('stateMachineArn');
      api.guard.authorize(accessKeyId, 'states:ListExecutions', arn);
      const machine = machineAt(api, arn);
      if (machine.type === 'EXPRESS') {
        throw new ApiError('StateMachineTypeNotSupported', 'Express executions are not listed');
      }
      const filter = request.optionalText('statusFilter', 80);
      if (filter !== undefined && !statuses.includes(filter)) {
        throw validationError(`Value '${filter}' at 'statusFilter' must be one of ${statuses.join(', ')}`);
      }
      const found = [...api.executions.all()]
        .filter(({ start, end }) => start.machineArn === arn && (filter ?? statusOf(end)) === statusOf(end))
        .sort((a, b) => (newestFirst(a) < newestFirst(b) ? -1 : 1));
      const page = pageOf(found, newestFirst, request.pageSize(), request.optionalText('nextToken', 1024));
      return { executions: page.items.map((execution) => defined(summaryOf(execution))), nextToken: page.nextToken };
    },

    GetExecutionHistory(api, request, accessKeyId) {
      request.knowsOnly('executionArn', 'maxResults', 'reverseOrder', 'nextToken', 'includeExecutionData');
      if (!request.flag('includeExecutionData', true)) {
        throw validationError(`'includeExecutionData' false is not supported locally`);
      }
      const execution = executionAt(api, request, accessKeyId, 'states:GetExecutionHistory');
      const reverse = request.flag('reverseOrder', false);
      const events = api.executions.events(execution);
      if (reverse) events.reverse();
      const keyOf = ({ id }: HistoryEvent) => String(reverse ? 1_000_000 - id : id).padStart(7, '0');
      const page = pageOf(events, keyOf, request.pageSize(), request.optionalText('nextToken', 1024));
      return { events: page.items, nextToken: page.nextToken };
    },

    StopExecution(api, request, accessKeyId) {
      request.knowsOnly('executionArn', 'error', 'cause');
      const execution = executionAt(api, request, accessKeyId, 'states:StopExecution');
      api.executions.stop(execution, request.optionalText('error', 256), request.optionalText('cause', 32_768));
      return { stopDate: (execution.end?.stopMs ?? api.now()) / 1000 };
    },

    DescribeStateMachine(api, request, accessKeyId) {
      request.knowsOnly('stateMachineArn', 'includedData');
      const arn = request.arn('stateMachineArn');
      api.guard.authorize(accessKeyId, 'states:DescribeStateMachine', arn);
      const { name, type, definition } = machineAt(api, arn);
      const creationDate = api.createdMs / 1000;
      return {
        stateMachineArn: arn,
        name,
        type,
        status: 'ACTIVE',
        definition: JSON.stringify(definition),
        creationDate,
      };
    },
  } satisfies Record<string, Operation>),
);

function machineAt({ machines }: ApiState, arn: string): Registered {
  const machine = machines.get(arn);
  if (machine !== undefined) return machine;
  throw new ApiError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
}

function executionAt(api: ApiState, request: ApiRequest, accessKeyId: string, action: string): Execution {
  const arn = request.arn('executionArn');
  api.guard.authorize(accessKeyId, action, arn);
  const execution = api.executions.find(arn);
  if (execution !== undefined) return execution;
  if (!arn.includes(':execution:')) throw new ApiError('InvalidArn', `Invalid Arn: '${arn}' is no Standard execution`);
  throw new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
}

function statusOf(end: Execution['end']): string {
  return end?.status ?? 'RUNNING';
}

function summaryOf({ start, end }: Execution) {
  return {
    executionArn: start.arn,
    stateMachineArn: start.machineArn,
    name: start.name,
    status: statusOf(end),
    startDate: start.startMs / 1000,
    stopDate: end === undefined ? undefined : end.stopMs / 1000,
  };
}

function defined(record: Readonly<Record<string, string | number | undefined>>): Record<string, Json> {
  const known: Record<string, Json> = {};
  for (const [key, value] of Object.entries(record)) if (value !== undefined) known[key] = value;
  return known;
}

/** Sorts the youngest execution first. */
function newestFirst({ start }: Execution): string {
  return `${String(1e15 - start.startMs).padStart(16, '0')} ${start.arn}`;
}
