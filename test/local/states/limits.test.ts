import { describe, expect, it } from 'vitest';
import { execute, machine, stageOf, task, whenEnded } from './stage.ts';

const done = { Type: 'Pass', End: true };
const payload = { Output: '{% $states.result.Payload %}', End: true };
/** Of a JSON string of this many letters the quotes make 262,144 bytes. */
const most = 262_142;

describe('the limit of 25,000 history events', () => {
  it('ends a machine that never does', async () => {
    const states = {
      A: { Type: 'Pass', Next: 'B' },
      B: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'C' }], Default: 'A' },
      C: done,
    };
    const ended = await execute(machine(states));
    expect(ended).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    expect(ended.events).toHaveLength(25_000);
    expect(ended.events.at(-1)).toMatchObject({ id: 25_000, type: 'ExecutionFailed' });
  }, 30_000);

  it('is not something that a Catch can take', async () => {
    const one = { Type: 'Map', Items: '{% [1..9000] %}', ItemProcessor: { StartAt: 'One', States: { One: done } } };
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'B' }];
    const ended = await execute(machine({ Each: { ...one, Catch, End: true }, B: done }));
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  }, 30_000);
});

describe('the limit of 262,144 bytes', () => {
  it('lets exactly that much through', async () => {
    const output = 'x'.repeat(most);
    expect((await execute(machine({ A: { ...done, Output: '{% $states.input %}' } }), output)).output).toBe(output);
  });

  it.each([
    ['a Pass’s output', { A: { ...done, Output: `{% $pad("", ${most + 1}, "x") %}` } }],
    ['an output of few characters but many bytes', { A: { ...done, Output: `{% $pad("", ${most / 2 + 1}, "é") %}` } }],
    ['a variable', { A: { ...done, Assign: { x: `{% $pad("", ${most + 1}, "x") %}` } } }],
    ['a function’s answer', { A: task('big', payload) }],
    [
      'a function’s payload',
      {
        A: {
          ...task('big', payload),
          Arguments: { FunctionName: 'arn:aws:lambda:x', Payload: `{% $pad("", ${most + 1}, "x") %}` },
        },
      },
    ],
    [
      'what a Map gathers',
      {
        A: {
          Type: 'Map',
          Items: [1, 2, 3],
          ItemProcessor: { StartAt: 'One', States: { One: { ...done, Output: '{% $pad("", 100000, "x") %}' } } },
          End: true,
        },
      },
    ],
  ])('refuses more: %s', async (_what, states) => {
    const ended = await execute(machine(states), {}, { functions: { big: () => 'x'.repeat(most + 1) } });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('ends what States.ALL does not catch', async () => {
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'B' }];
    const functions = { big: () => 'x'.repeat(most + 1) };
    const ended = await execute(machine({ A: task('big', { Catch, End: true }), B: done }), {}, { functions });
    expect(ended.error).toBe('States.DataLimitExceeded');
  });
});

describe('an input nested without end', () => {
  it('fails its own execution and no other', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { executions, registered } = stageOf(machine({ A: done }));
    const bothEnded = Promise.all([whenEnded(executions, 'deep'), whenEnded(executions, 'flat')]);
    const failed = executions.start(registered, 'deep', deep);
    const succeeded = executions.start(registered, 'flat', '[]');
    await bothEnded;
    expect(failed.end).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(succeeded.end).toMatchObject({ status: 'SUCCEEDED', output: '[]' });
  });
});
