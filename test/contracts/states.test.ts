import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AccessDenied } from '../../local/cloud/service.ts';
import { createStates, type LocalStates } from '../../local/cloud/states/create-states.ts';
import { functionArn, machine, machineArn, newDir, task } from '../local/states/stage.ts';

const expressArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:express';
const executionArn = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:round:${name}`;
const definition = machine({
  Freeze: task('freeze', { Output: '{% $states.result.Payload %}', Next: 'Wait' }),
  Wait: { Type: 'Wait', Seconds: '{% $states.input.waitSeconds %}', Next: 'Done' },
  Done: { Type: 'Succeed' },
});

let states: LocalStates;
let client: SFNClient;
const clients: SFNClient[] = [];

function clientOf(url: string, accessKeyId = 'OWNER', secretAccessKey = 'secret-of-OWNER'): SFNClient {
  const made = new SFNClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    disableHostPrefix: true,
    maxAttempts: 1,
  });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  states = await createStates({
    dir: newDir(),
    guard: {
      secretOf: (accessKeyId) => (accessKeyId === 'NOBODY' ? undefined : `secret-of-${accessKeyId}`),
      authorize(accessKeyId, action, resource) {
        if (accessKeyId === 'READER' && !action.startsWith('states:Describe')) {
          throw new AccessDenied(
            'arn:aws:iam::000000000000:role/reader',
            action,
            resource,
            'no identity-based policy allows it',
          );
        }
      },
    },
    meter: { count: () => {} },
    machines: [
      { name: 'round', arn: machineArn, type: 'STANDARD', definition, roleAccessKeyId: 'ROUNDROLE' },
      { name: 'express', arn: expressArn, type: 'EXPRESS', definition, roleAccessKeyId: 'ROUNDROLE' },
    ],
    async invoke(arn, payload) {
      if (arn !== functionArn('freeze')) throw new Error(`no function ${arn}`);
      return { payload };
    },
    readObject: () => Promise.reject(new Error('no objects')),
  });
  client = clientOf(states.url);
});

afterAll(async () => {
  for (const made of clients) made.destroy();
  await states.close();
});

const running = JSON.stringify({ waitSeconds: 3_600 });
const quick = JSON.stringify({ waitSeconds: 0 });

function start(name: string, input: string) {
  return client.send(new StartExecutionCommand({ stateMachineArn: machineArn, name, input }));
}

/** Starts an execution and waits for its end. */
async function runToEnd(name: string, input: string): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    const forget = states.onTransition(({ executionName, phase }) => {
      if (executionName !== name || phase !== 'ended') return;
      forget();
      resolve();
    });
  });
  await start(name, input);
  await ended;
}

describe('StartExecution and DescribeExecution', () => {
  it('run a machine', async () => {
    await runToEnd('task-v1', quick);
    const described = await client.send(new DescribeExecutionCommand({ executionArn: executionArn('task-v1') }));
    expect(described).toMatchObject({
      executionArn: executionArn('task-v1'),
      stateMachineArn: machineArn,
      name: 'task-v1',
      status: 'SUCCEEDED',
      input: quick,
      output: quick,
    });
    expect(described.stopDate?.getTime()).toBeGreaterThanOrEqual(
      described.startDate?.getTime() ?? Number.POSITIVE_INFINITY,
    );
  });

  it('make up a name and an input where none is given', async () => {
    const { executionArn: arn } = await client.send(new StartExecutionCommand({ stateMachineArn: machineArn }));
    const described = await client.send(new DescribeExecutionCommand({ executionArn: arn }));
    expect(described.name).toMatch(/^[0-9a-f-]{36}$/);
    expect(described.input).toBe('{}');
  });

  it('give the same execution for the same name and input while it runs', async () => {
    const first = await start('twice', running);
    expect((await start('twice', running)).startDate).toEqual(first.startDate);
    expect(states.running().filter(({ name }) => name === 'twice')).toHaveLength(1);
    expect(states.idle()).toBe(false);
  });

  it('refuse a name that runs with other input', async () => {
    await start('other', running);
    await expect(start('other', quick)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it('refuse the name of an execution that has ended, even with the same input', async () => {
    await runToEnd('ended', quick);
    await expect(start('ended', quick)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it.each(['', 'x'.repeat(81), 'a b', 'a/b', 'a:b', 'a*b', 'a{b}', 'a\u0007b', 'a\u009fb'])(
    'refuse the name %j',
    async (name) => {
      await expect(start(name, quick)).rejects.toMatchObject({ name: 'InvalidName' });
    },
  );

  it('take a name of 80 characters', async () => {
    const name = 'x'.repeat(80);
    expect((await start(name, quick)).executionArn).toBe(executionArn(name));
  });

  it.each([
    ['input that is no JSON', { stateMachineArn: machineArn, input: '{' }, 'InvalidExecutionInput'],
    ['input over 256 KiB', { stateMachineArn: machineArn, input: `"${'x'.repeat(262_143)}"` }, 'ValidationException'],
    [
      'input over 256 KiB of UTF-8',
      { stateMachineArn: machineArn, input: `"${'é'.repeat(131_072)}"` },
      'ValidationException',
    ],
    ['a machine that is not there', { stateMachineArn: `${machineArn}2` }, 'StateMachineDoesNotExist'],
    ['what is no ARN', { stateMachineArn: 'round' }, 'InvalidArn'],
    ['a member that is not supported', { stateMachineArn: machineArn, traceHeader: 'x' }, 'ValidationException'],
  ])('refuse %s', async (_what, input, name) => {
    await expect(client.send(new StartExecutionCommand(input))).rejects.toMatchObject({ name });
  });

  it('know no execution that was never started', async () => {
    const described = client.send(new DescribeExecutionCommand({ executionArn: executionArn('never') }));
    await expect(described).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  });

  it('start Express executions under one name as often as asked, and describe none', async () => {
    const input = { stateMachineArn: expressArn, name: 'same', input: quick };
    const first = await client.send(new StartExecutionCommand(input));
    const second = await client.send(new StartExecutionCommand(input));
    expect(first.executionArn).not.toBe(second.executionArn);
    const described = client.send(new DescribeExecutionCommand({ executionArn: first.executionArn }));
    await expect(described).rejects.toMatchObject({ name: 'InvalidArn' });
  });
});

describe('StopExecution', () => {
  it('aborts a running execution with error and cause', async () => {
    await start('stopped', running);
    const input = { executionArn: executionArn('stopped'), error: 'Operator', cause: 'enough' };
    const { stopDate } = await client.send(new StopExecutionCommand(input));
    const described = await client.send(new DescribeExecutionCommand({ executionArn: executionArn('stopped') }));
    expect(described).toMatchObject({ status: 'ABORTED', error: 'Operator', cause: 'enough', stopDate });
    expect((await client.send(new StopExecutionCommand(input))).stopDate).toEqual(stopDate);
  });
});

describe('GetExecutionHistory', () => {
  it('gives the events in order, in reverse, and page by page', async () => {
    await runToEnd('history', quick);
    const input = { executionArn: executionArn('history') };
    const { events = [] } = await client.send(new GetExecutionHistoryCommand(input));
    expect(events.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'WaitStateEntered',
      'WaitStateExited',
      'SucceedStateEntered',
      'SucceedStateExited',
      'ExecutionSucceeded',
    ]);
    expect(events[1]).toMatchObject({
      id: 2,
      previousEventId: 1,
      stateEnteredEventDetails: { name: 'Freeze', input: quick },
    });
    expect(events[0].timestamp).toBeInstanceOf(Date);

    const reversed = await client.send(new GetExecutionHistoryCommand({ ...input, reverseOrder: true, maxResults: 3 }));
    expect(reversed.events?.map(({ id }) => id)).toEqual([11, 10, 9]);

    const paged: (number | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await client.send(new GetExecutionHistoryCommand({ ...input, maxResults: 4, nextToken }));
      expect(page.events?.length).toBeLessThanOrEqual(4);
      paged.push(...(page.events ?? []).map(({ id }) => id));
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    expect(paged).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('refuses a token that it did not give', async () => {
    const asked = new GetExecutionHistoryCommand({ executionArn: executionArn('history'), nextToken: 'forged' });
    await expect(client.send(asked)).rejects.toMatchObject({ name: 'InvalidToken' });
  });
});

describe('ListExecutions', () => {
  it('filters by status and pages through all', async () => {
    await runToEnd('list-1', quick);
    await runToEnd('list-2', quick);
    await start('list-3', running);
    const names = new Set<string | undefined>();
    let nextToken: string | undefined;
    do {
      const input = { stateMachineArn: machineArn, maxResults: 2, nextToken };
      const page = await client.send(new ListExecutionsCommand(input));
      expect(page.executions?.length).toBeLessThanOrEqual(2);
      for (const { name } of page.executions ?? []) {
        expect(names.has(name)).toBe(false);
        names.add(name);
      }
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    expect([...names]).toEqual(expect.arrayContaining(['list-1', 'list-2', 'list-3']));

    const filtered = await client.send(
      new ListExecutionsCommand({ stateMachineArn: machineArn, statusFilter: 'RUNNING' }),
    );
    expect(filtered.executions?.every(({ status }) => status === 'RUNNING')).toBe(true);
    expect(filtered.executions?.map(({ name }) => name)).toContain('list-3');
  });

  it('does not list Express executions', async () => {
    const listed = client.send(new ListExecutionsCommand({ stateMachineArn: expressArn }));
    await expect(listed).rejects.toMatchObject({ name: 'StateMachineTypeNotSupported' });
  });
});

describe('DescribeStateMachine', () => {
  it('gives the definition back', async () => {
    const described = await client.send(new DescribeStateMachineCommand({ stateMachineArn: machineArn }));
    expect(described).toMatchObject({ name: 'round', type: 'STANDARD', status: 'ACTIVE' });
    expect(JSON.parse(described.definition ?? '')).toEqual(definition);
  });
});

describe('every call', () => {
  it('must be signed by a known key', async () => {
    const input = new StartExecutionCommand({ stateMachineArn: machineArn });
    await expect(clientOf(states.url, 'OWNER', 'wrong').send(input)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
    await expect(clientOf(states.url, 'NOBODY', 'x').send(input)).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    const unsigned = await fetch(states.url, { method: 'POST', body: '{}' });
    expect(unsigned.status).toBe(400);
    expect(await unsigned.json()).toMatchObject({
      __type: expect.stringMatching(/#MissingAuthenticationTokenException$/),
    });
  });

  it('must be allowed to its caller', async () => {
    const reader = clientOf(states.url, 'READER', 'secret-of-READER');
    const started = reader.send(new StartExecutionCommand({ stateMachineArn: machineArn }));
    await expect(started).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::000000000000:role/reader is not authorized to perform: states:StartExecution on resource: ${machineArn} because no identity-based policy allows it`,
    });
    const described = await reader.send(new DescribeStateMachineCommand({ stateMachineArn: machineArn }));
    expect(described.name).toBe('round');
  });

  it('must be one that exists locally', async () => {
    await expect(client.send(new ListStateMachinesCommand({}))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('AWSStepFunctions.ListStateMachines'),
    });
  });

  it('may not be over 1 MiB', async () => {
    const input = { stateMachineArn: machineArn, name: 'x', traceHeader: 'x'.repeat(1024 * 1024) };
    await expect(client.send(new StartExecutionCommand(input))).rejects.toMatchObject({
      name: 'SerializationException',
    });
  });
});

describe('kill -9', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function spawnStates(dir: string, calls: string, mode: string): Promise<{ child: ChildProcess; url: string }> {
    const node = join(root, 'node_modules', '.bin', 'node');
    const child = spawn(node, [join(root, 'test/local/states/crash-child.ts'), dir, calls, mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = await once(child.stdout, 'data');
    return { child, url: String(line).trim() };
  }

  it('loses no running execution', async () => {
    const dir = newDir();
    const calls = join(newDir(), 'calls');
    const first = await spawnStates(dir, calls, 'block');
    await clientOf(first.url, 'OWNER', 'secret').send(
      new StartExecutionCommand({ stateMachineArn: machineArn, name: 'v1' }),
    );
    await expect.poll(() => readFileSync(calls, 'utf8'), { timeout: 20_000 }).toBe('freeze\npublish\n');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await spawnStates(dir, calls, 'answer');
    const describer = clientOf(second.url, 'OWNER', 'secret');
    const statusOf = async () =>
      (await describer.send(new DescribeExecutionCommand({ executionArn: executionArn('v1') }))).status;
    await expect.poll(statusOf, { timeout: 20_000 }).toBe('SUCCEEDED');
    const described = await describer.send(new DescribeExecutionCommand({ executionArn: executionArn('v1') }));
    expect(described.output).toBe('["freeze","publish"]');
    expect(readFileSync(calls, 'utf8')).toBe('freeze\npublish\npublish\n');
  });
});
