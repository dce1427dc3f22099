import { describe, expect, it } from 'vitest';
import { execute, LeapingClock, machine, startMs } from './stage.ts';

const pass = (rest: Record<string, unknown>) => ({ Type: 'Pass', ...rest });

describe('Pass', () => {
  it('hands its input on where it has no Output', async () => {
    const { status, output, types } = await execute(machine({ A: pass({ End: true }) }), { x: 1 });
    expect({ status, output }).toEqual({ status: 'SUCCEEDED', output: { x: 1 } });
    expect(types).toEqual(['ExecutionStarted', 'PassStateEntered', 'PassStateExited', 'ExecutionSucceeded']);
  });

  it('evaluates expressions at any depth of Output and leaves other strings alone', async () => {
    const Output = {
      sum: '{% $states.input.a + $states.input.b %}',
      list: ['{% $states.input.a %}', '$states.input.a'],
    };
    const { output } = await execute(machine({ A: pass({ Output, End: true }) }), { a: 2, b: 3 });
    expect(output).toEqual({ sum: 5, list: [2, '$states.input.a'] });
  });

  it('keeps a member named __proto__ as data', async () => {
    const input = JSON.parse('{"__proto__": {"polluted": true}}');
    const { output } = await execute(machine({ A: pass({ Output: '{% $states.input %}', End: true }) }), input);
    expect(JSON.stringify(output)).toBe('{"__proto__":{"polluted":true}}');
  });
});

describe('variables', () => {
  it('take effect after the state that assigns them', async () => {
    const states = {
      A: pass({ Assign: { x: 1, y: 1 }, Next: 'B' }),
      B: pass({ Assign: { x: 2, y: '{% $x + 10 %}' }, Output: '{% $x %}', Next: 'C' }),
      C: pass({ Output: { was: '{% $states.input %}', x: '{% $x %}', y: '{% $y %}' }, End: true }),
    };
    expect((await execute(machine(states))).output).toEqual({ was: 1, x: 2, y: 11 });
  });
});

describe('Choice', () => {
  const states = {
    Judge: {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.n > 10 %}', Next: 'Many', Output: { many: '{% $states.input.n %}' } },
        { Condition: '{% $states.input.n > 5 %}', Next: 'Some', Assign: { found: 'some' } },
      ],
      Default: 'Few',
      Assign: { found: 'few' },
      Output: 'default',
    },
    Many: pass({ End: true }),
    Some: pass({ Output: '{% $found %}', End: true }),
    Few: pass({ Output: '{% $found & " by " & $states.input %}', End: true }),
  };

  it('takes the first rule that holds, with that rule’s Output', async () => {
    expect((await execute(machine(states), { n: 11 })).output).toEqual({ many: 11 });
  });

  it('assigns what the rule assigns', async () => {
    expect((await execute(machine(states), { n: 6 })).output).toBe('some');
  });

  it('takes Default with the state’s own Output and Assign', async () => {
    expect((await execute(machine(states), { n: 5 })).output).toBe('few by default');
  });

  it('fails with States.Runtime if nothing matches and there is no Default', async () => {
    const lonely = {
      Judge: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'B' }] },
      B: pass({ End: true }),
    };
    const { status, error, cause } = await execute(machine(lonely));
    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Runtime' });
    expect(cause).toContain('Failed to transition out of the state');
  });

  it('refuses a condition that is no boolean', async () => {
    const { error, cause } = await execute(machine(states), { n: 'eleven' });
    expect(error).toBe('States.QueryEvaluationError');
    expect(cause).toContain("'Judge'");
  });
});

describe('Wait', () => {
  it('sleeps for Seconds', async () => {
    const clock = new LeapingClock();
    await execute(
      machine({ W: { Type: 'Wait', Seconds: '{% $states.input.s * 2 %}', End: true } }),
      { s: 30 },
      { clock },
    );
    expect(clock.slept).toEqual([60_000]);
  });

  it('sleeps until Timestamp, and not at all if that is past', async () => {
    const clock = new LeapingClock();
    const states = {
      W: { Type: 'Wait', Timestamp: '2026-11-30T12:00:10Z', Next: 'V' },
      V: { Type: 'Wait', Timestamp: '{% "2026-11-30T12:00:09+00:00" %}', End: true },
    };
    await execute(machine(states), {}, { clock });
    expect(clock.slept).toEqual([10_000]);
  });

  it.each([['{% -1 %}'], ['{% 1.5 %}'], ['{% "5" %}'], ['{% 1e9 %}']])('refuses Seconds of %s', async (Seconds) => {
    const { error } = await execute(machine({ W: { Type: 'Wait', Seconds, End: true } }));
    expect(error).toBe('States.QueryEvaluationError');
  });
});

describe('Succeed and Fail', () => {
  it('Succeed gives its Output', async () => {
    expect((await execute(machine({ S: { Type: 'Succeed', Output: '{% $states.input.x %}' } }), { x: 7 })).output).toBe(
      7,
    );
  });

  it('Fail ends the execution with its Error and Cause', async () => {
    const states = { F: { Type: 'Fail', Error: 'TooFew', Cause: '{% "only " & $states.input.n %}' } };
    const ended = await execute(machine(states), { n: 2 });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'TooFew', cause: 'only 2', output: undefined });
    expect(ended.types).toEqual(['ExecutionStarted', 'FailStateEntered', 'ExecutionFailed']);
    expect(ended.events.at(-1)).toMatchObject({ executionFailedEventDetails: { error: 'TooFew', cause: 'only 2' } });
  });
});

describe('the context object', () => {
  it('names execution, machine and state', async () => {
    const Output = '{% $states.context %}';
    const { output } = await execute(machine({ A: pass({ Output, End: true }) }), { x: 1 }, { name: 'task-v7' });
    const time = new Date(startMs).toISOString();
    expect(output).toEqual({
      Execution: {
        Id: 'arn:aws:states:us-east-1:000000000000:execution:round:task-v7',
        Name: 'task-v7',
        Input: { x: 1 },
        StartTime: time,
      },
      State: { Name: 'A', EnteredTime: time, RetryCount: 0 },
      StateMachine: { Id: 'arn:aws:states:us-east-1:000000000000:stateMachine:round', Name: 'round' },
    });
  });
});

describe('metering', () => {
  it('counts one transition for each state of a Standard execution, none for an Express one', async () => {
    const states = machine({ A: pass({ Next: 'B' }), B: pass({ Next: 'C' }), C: { Type: 'Succeed' } });
    expect((await execute(states)).transitions).toBe(3);
    expect(await execute(states, {}, { type: 'EXPRESS' })).toMatchObject({ status: 'SUCCEEDED', transitions: 0 });
  });
});
