import { describe, expect, it } from 'vitest';
import {
  execute,
  FunctionFault,
  functionArn,
  LeapingClock,
  machine,
  StandingClock,
  stageOf,
  task,
  whenEnded,
} from './stage.ts';

const done = { Type: 'Pass', End: true };

/** A function that throws these errors one after the other, then answers. */
function failing(...errors: string[]) {
  return () => {
    const error = errors.shift();
    if (error !== undefined) throw new FunctionFault(error, `${error} happened`);
    return 'fine';
  };
}

describe('Task', () => {
  it('gives the integration’s whole result where it has no Output', async () => {
    const functions = { freeze: (payload: unknown) => ({ got: payload }) };
    const ended = await execute(machine({ Freeze: task('freeze') }), { x: 1 }, { functions });
    expect(ended.output).toEqual({ ExecutedVersion: '$LATEST', Payload: { got: { x: 1 } }, StatusCode: 200 });
    expect(ended.types).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('offers the result to Output and Assign', async () => {
    const states = {
      Freeze: task('freeze', {
        Output: '{% $states.result.Payload.n + 1 %}',
        Assign: { n: '{% $states.result.Payload.n %}' },
        Next: 'B',
      }),
      B: { ...done, Output: ['{% $states.input %}', '{% $n %}'] },
    };
    expect((await execute(machine(states), {}, { functions: { freeze: () => ({ n: 4 }) } })).output).toEqual([5, 4]);
  });

  it('turns a function that returns nothing into null', async () => {
    const functions = { freeze: () => undefined };
    expect((await execute(machine({ F: task('freeze') }), {}, { functions })).output).toMatchObject({ Payload: null });
  });

  it('fails with the error class that the function threw', async () => {
    const ended = await execute(machine({ F: task('freeze') }), {}, { functions: { freeze: failing('CohortEmpty') } });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'CohortEmpty' });
    expect(JSON.parse(ended.cause ?? '')).toEqual({ errorMessage: 'CohortEmpty happened', errorType: 'CohortEmpty' });
    expect(ended.types).toContain('TaskFailed');
  });

  it('fails with Lambda.Unknown if the function died without a word', async () => {
    const stage = { functions: { freeze: () => Promise.reject(new FunctionFault(undefined, 'exited with 137')) } };
    expect((await execute(machine({ F: task('freeze') }), {}, stage)).error).toBe('Lambda.Unknown');
  });

  it('fails with Lambda.SdkClientException if the function cannot be reached', async () => {
    const ended = await execute(machine({ F: task('absent') }));
    expect(ended).toMatchObject({ error: 'Lambda.SdkClientException', cause: 'no function absent' });
  });

  it('fails with the guard’s words, and calls nothing, if the role may not invoke', async () => {
    const stage = { functions: { freeze: () => 1 }, denied: ['lambda:InvokeFunction'] };
    const ended = await execute(machine({ F: task('freeze') }), {}, stage);
    expect(ended.calls).toEqual([]);
    expect(ended.error).toBe('States.Permissions');
    expect(ended.cause).toBe(
      `ROUNDROLE is not authorized to perform: lambda:InvokeFunction on resource: ${functionArn('freeze')} because no policy allows it`,
    );
  });

  it('refuses arguments that only turn out to be unknown when they are evaluated', async () => {
    const Arguments = '{% {"FunctionName": "arn:aws:lambda:x", "Qualifier": "1"} %}';
    const ended = await execute(machine({ F: task('freeze', { Arguments, End: true }) }));
    expect(ended).toMatchObject({ error: 'States.Runtime', cause: 'Arguments.Qualifier is not supported locally.' });
  });

  it('fails with States.Timeout after TimeoutSeconds, though the function goes on', async () => {
    const clock = new StandingClock();
    const functions = { freeze: () => new Promise(() => {}) };
    const states = machine({ F: task('freeze', { TimeoutSeconds: '{% $states.input.limit %}', End: true }) });
    const { executions, registered } = stageOf(states, { functions, clock });
    const ended = whenEnded(executions, 'one');
    const execution = executions.start(registered, 'one', '{"limit": 7}');
    const wakeMs = await clock.nextWakeMs();
    expect(wakeMs - clock.now()).toBe(7_000);
    clock.advanceTo(wakeMs);
    await ended;
    expect(execution.end).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(executions.events(execution).map(({ type }) => type)).toContain('TaskTimedOut');
  });
});

describe('the machine’s TimeoutSeconds', () => {
  it('ends the execution as TIMED_OUT, past every Catch', async () => {
    const clock = new StandingClock();
    const functions = { freeze: () => new Promise(() => {}) };
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'B' }];
    const states = machine({ F: task('freeze', { Catch, End: true }), B: done }, { TimeoutSeconds: 60 });
    const { executions, registered } = stageOf(states, { functions, clock });
    const ended = whenEnded(executions, 'one');
    const execution = executions.start(registered, 'one', '{}');
    clock.advanceTo(await clock.nextWakeMs());
    await ended;
    expect(execution.end).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(executions.events(execution).at(-1)?.type).toBe('ExecutionTimedOut');
  });
});

describe('Retry', () => {
  const retrying = (Retry: unknown[], rest = {}) => machine({ F: task('freeze', { Retry, End: true, ...rest }) });

  it('backs off by the rate up to MaxDelaySeconds', async () => {
    const clock = new LeapingClock();
    const Retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 2, MaxAttempts: 5, BackoffRate: 3, MaxDelaySeconds: 20 }];
    const functions = { freeze: failing('Busy', 'Busy', 'Busy', 'Busy') };
    const ended = await execute(retrying(Retry), {}, { functions, clock });
    expect(ended.status).toBe('SUCCEEDED');
    expect(clock.slept).toEqual([2_000, 6_000, 18_000, 20_000]);
  });

  it('tries three times more by default, after 1, 2 and 4 seconds', async () => {
    const clock = new LeapingClock();
    const functions = { freeze: failing('Busy', 'Busy', 'Busy', 'Busy', 'Busy') };
    const ended = await execute(retrying([{ ErrorEquals: ['States.ALL'] }]), {}, { functions, clock });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'Busy' });
    expect(clock.slept).toEqual([1_000, 2_000, 4_000]);
    expect(ended.calls).toHaveLength(4);
  });

  it('draws a jittered delay from below the full one', async () => {
    const clock = new LeapingClock();
    const Retry = [{ ErrorEquals: ['Busy'], IntervalSeconds: 8, JitterStrategy: 'FULL', BackoffRate: 1 }];
    await execute(retrying(Retry), {}, { functions: { freeze: failing('Busy', 'Busy', 'Busy') }, clock });
    expect(clock.slept.every((ms) => ms < 8_000)).toBe(true);
  });

  it('counts each retrier’s attempts on its own', async () => {
    const Retry = [
      { ErrorEquals: ['A'], MaxAttempts: 1 },
      { ErrorEquals: ['B'], MaxAttempts: 2 },
    ];
    expect(await execute(retrying(Retry), {}, { functions: { freeze: failing('B', 'A', 'B') } })).toMatchObject({
      status: 'SUCCEEDED',
    });
    expect(await execute(retrying(Retry), {}, { functions: { freeze: failing('B', 'A', 'A') } })).toMatchObject({
      error: 'A',
    });
  });

  it('does not retry with MaxAttempts 0, or an error that no retrier names', async () => {
    const Retry = [{ ErrorEquals: ['A'], MaxAttempts: 0 }, { ErrorEquals: ['C'] }];
    const ended = await execute(retrying(Retry), {}, { functions: { freeze: failing('A') } });
    expect(ended.calls).toHaveLength(1);
    expect((await execute(retrying(Retry), {}, { functions: { freeze: failing('B') } })).calls).toHaveLength(1);
  });

  it('bills each retry and tells the state its count', async () => {
    const Arguments = { FunctionName: functionArn('freeze'), Payload: '{% $states.context.State.RetryCount %}' };
    const ended = await execute(
      retrying([{ ErrorEquals: ['Busy'] }], { Arguments }),
      {},
      { functions: { freeze: failing('Busy', 'Busy') } },
    );
    expect(ended.calls.map(({ payload }) => payload)).toEqual([0, 1, 2]);
    expect(ended.transitions).toBe(3);
  });
});

describe('Catch', () => {
  const caught = (errorEquals: string[], rest = {}) => {
    const Catch = [{ ErrorEquals: errorEquals, Next: 'B', ...rest }];
    return machine({
      F: task('freeze', { Catch, End: true }),
      B: { ...done, Output: { caught: '{% $states.input %}' } },
    });
  };

  it('hands the error output on', async () => {
    const { output } = await execute(caught(['Busy']), {}, { functions: { freeze: failing('Busy') } });
    const Cause = '{"errorMessage":"Busy happened","errorType":"Busy"}';
    expect(output).toEqual({ caught: { Error: 'Busy', Cause } });
  });

  it('may shape and assign the error output', async () => {
    const Catch = [
      {
        ErrorEquals: ['States.ALL'],
        Next: 'B',
        Output: { key: '{% $states.input.key %}', why: '{% $states.errorOutput.Error %}' },
        Assign: { message: '{% $parse($states.errorOutput.Cause).errorMessage %}' },
      },
    ];
    const B = { ...done, Output: ['{% $states.input %}', '{% $message %}'] };
    const states = machine({ F: task('freeze', { Catch, End: true }), B });
    const { output } = await execute(states, { key: 'k' }, { functions: { freeze: failing('Busy') } });
    expect(output).toEqual([{ key: 'k', why: 'Busy' }, 'Busy happened']);
  });

  it('comes after the retries', async () => {
    const Retry = [{ ErrorEquals: ['Busy'], MaxAttempts: 2 }];
    const Catch = [{ ErrorEquals: ['Busy'], Next: 'B' }];
    const states = machine({ F: task('freeze', { Retry, Catch, End: true }), B: done });
    const ended = await execute(states, {}, { functions: { freeze: failing('Busy', 'Busy', 'Busy') } });
    expect(ended.calls).toHaveLength(3);
    expect(ended.status).toBe('SUCCEEDED');
  });

  it.each([
    ['States.TaskFailed', 'Busy', 'SUCCEEDED'],
    ['States.ALL', 'States.Timeout', 'SUCCEEDED'],
    ['States.TaskFailed', 'States.Timeout', 'FAILED'],
    ['Bus', 'Busy', 'FAILED'],
    ['States.ALL', 'States.DataLimitExceeded', 'FAILED'],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', 'SUCCEEDED'],
    ['States.ALL', 'States.Runtime', 'FAILED'],
    ['States.Runtime', 'States.Runtime', 'FAILED'],
  ])('%s against %s: %s', async (name, error, status) => {
    expect((await execute(caught([name]), {}, { functions: { freeze: failing(error) } })).status).toBe(status);
  });

  it('sees a failed expression of its state', async () => {
    const Catch = [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'B' }];
    const states = machine({
      F: task('freeze', { Catch, Output: '{% $states.result.Payload.none %}', End: true }),
      B: done,
    });
    const { output } = await execute(states, {}, { functions: { freeze: () => ({}) } });
    expect(output).toMatchObject({ Error: 'States.QueryEvaluationError' });
  });
});
