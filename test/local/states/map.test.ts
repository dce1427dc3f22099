import { describe, expect, it } from 'vitest';
import { execute, FunctionFault, functionArn, machine, startMs, task } from './stage.ts';

const done = { Type: 'Pass', End: true };
const payload = { Output: '{% $states.result.Payload %}', End: true };

function each(one: Record<string, unknown>, rest: Record<string, unknown> = { End: true }) {
  return { Type: 'Map', ItemProcessor: { StartAt: 'One', States: { One: one } }, ...rest };
}

/** A function that counts how many of it run at once; each runs over a few turns of the event loop. */
function crowd() {
  const seen = { now: 0, most: 0 };
  const work = async (value: unknown) => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    seen.now -= 1;
    return value;
  };
  return { seen, work };
}

describe('inline Map', () => {
  it('gives the outputs in the order of the items, whatever the order of their ends', async () => {
    const functions = {
      slow: async (n: unknown) => {
        for (let turn = Number(n); turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
        return n;
      },
    };
    const { output } = await execute(machine({ Each: each(task('slow', payload)) }), [1, 5, 9], { functions });
    expect(output).toEqual([1, 5, 9]);
  });

  it('takes Items and shapes each by ItemSelector', async () => {
    const rest = {
      Items: '{% $states.input.clients %}',
      ItemSelector: {
        id: '{% $states.context.Map.Item.Value.id %}',
        at: '{% $states.context.Map.Item.Index %}',
        round: '{% $states.input.round %}',
      },
      End: true,
    };
    const { output } = await execute(machine({ Each: each(done, rest) }), {
      round: 7,
      clients: [{ id: 'a' }, { id: 'b' }],
    });
    expect(output).toEqual([
      { id: 'a', at: 0, round: 7 },
      { id: 'b', at: 1, round: 7 },
    ]);
  });

  it('shows the item to the states within', async () => {
    const one = { ...done, Output: '{% $states.context.Map.Item.Index * 10 + $states.input %}' };
    expect((await execute(machine({ Each: each(one) }), [1, 2])).output).toEqual([1, 12]);
  });

  it('runs no more than MaxConcurrency at once, 40 where that is 0 or more', async () => {
    for (const [asked, most] of [
      [3, 3],
      [0, 40],
      [1_000, 40],
    ]) {
      const { seen, work } = crowd();
      const states = machine({ Each: each(task('work', payload), { MaxConcurrency: asked, End: true }) });
      await execute(states, Array(50).fill(0), { functions: { work } });
      expect(seen.most).toBe(most);
    }
  });

  it('gives an empty array for no items', async () => {
    expect((await execute(machine({ Each: each(done) }), [])).output).toEqual([]);
  });

  it('refuses items that are no array', async () => {
    expect((await execute(machine({ Each: each(done) }), { a: 1 })).error).toBe('States.QueryEvaluationError');
  });

  it('fails with an iteration’s error and starts no more', async () => {
    const functions = {
      work: (n: unknown) => {
        if (n === 2) throw new FunctionFault('Bad', 'item 2');
        return n;
      },
    };
    const states = machine({ Each: each(task('work', payload), { MaxConcurrency: 1, End: true }) });
    const ended = await execute(states, [1, 2, 3], { functions });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'Bad' });
    expect(ended.calls).toHaveLength(2);
    expect(ended.types).toContain('MapIterationFailed');
    expect(ended.types).toContain('MapStateFailed');
  });

  it('is retried as a whole', async () => {
    let calls = 0;
    const functions = {
      work: () => {
        calls += 1;
        if (calls === 2) throw new FunctionFault('Busy', '');
        return calls;
      },
    };
    const rest = { MaxConcurrency: 1, Retry: [{ ErrorEquals: ['Busy'] }], End: true };
    expect((await execute(machine({ Each: each(task('work', payload), rest) }), [0, 0], { functions })).output).toEqual(
      [3, 4],
    );
  });

  it('reads outer variables and keeps its own within an iteration', async () => {
    const states = {
      A: { Type: 'Pass', Assign: { base: 100 }, Next: 'Each' },
      Each: {
        Type: 'Map',
        Items: [1, 2],
        ItemProcessor: {
          StartAt: 'One',
          States: {
            One: { Type: 'Pass', Assign: { own: '{% $base + $states.input %}' }, Next: 'Two' },
            Two: { ...done, Output: '{% $own %}' },
          },
        },
        Assign: { all: '{% $states.result %}' },
        Next: 'B',
      },
      B: { ...done, Output: '{% $all %}' },
    };
    expect((await execute(machine(states))).output).toEqual([101, 102]);
  });

  it('bills the Map and every state within', async () => {
    // 1 for the Map, then 2 states for each of 3 items
    const two = { StartAt: 'One', States: { One: { Type: 'Pass', Next: 'Two' }, Two: done } };
    const states = machine({ Each: { Type: 'Map', ItemProcessor: two, End: true } });
    expect((await execute(states, [1, 2, 3])).transitions).toBe(7);
  });

  it('links each event to the one before it in its iteration', async () => {
    const { events } = await execute(machine({ Each: each(done) }), ['a', 'b']);
    const byId = new Map(events.map((event) => [event.id, event]));
    for (const event of events.filter(({ type }) => type === 'MapIterationStarted')) {
      expect(byId.get(event.previousEventId)?.type).toBe('MapStateStarted');
    }
    for (const event of events.filter(({ type }) => type === 'PassStateEntered')) {
      expect(byId.get(event.previousEventId)?.type).toBe('MapIterationStarted');
    }
    expect(events.every((event, i) => event.id === i + 1 && event.timestamp >= startMs / 1000)).toBe(true);
  });
});

describe('Parallel', () => {
  const branch = (name: string, state: Record<string, unknown>) => ({ StartAt: name, States: { [name]: state } });

  it('gives every branch the same input and an array of their outputs', async () => {
    const Branches = [
      branch('L', { ...done, Output: '{% $states.input.n + 1 %}' }),
      branch('R', { ...done, Output: '{% $states.input.n * 2 %}' }),
    ];
    const states = machine({ P: { Type: 'Parallel', Arguments: { n: '{% $states.input.m %}' }, Branches, End: true } });
    expect((await execute(states, { m: 10 })).output).toEqual([11, 20]);
  });

  it('fails with a branch’s error, stops the others, and can be caught', async () => {
    const Branches = [branch('L', task('stuck')), branch('R', { Type: 'Fail', Error: 'Bad', Cause: 'right' })];
    const Catch = [{ ErrorEquals: ['Bad'], Next: 'B' }];
    const states = machine({ P: { Type: 'Parallel', Branches, Catch, End: true }, B: done });
    const ended = await execute(states, {}, { functions: { stuck: () => new Promise(() => {}) } });
    expect(ended.output).toEqual({ Error: 'Bad', Cause: 'right' });
    expect(ended.calls).toEqual([{ functionName: 'stuck', payload: {} }]);
    expect(functionArn('stuck')).toContain('stuck');
  });

  it('does not let branches see each other’s variables', async () => {
    const Branches = [
      branch('L', { ...done, Assign: { x: 1 }, Output: 1 }),
      {
        StartAt: 'R',
        States: { R: { Type: 'Pass', Assign: { x: 2 }, Next: 'S' }, S: { ...done, Output: '{% $x %}' } },
      },
    ];
    expect((await execute(machine({ P: { Type: 'Parallel', Branches, End: true } }))).output).toEqual([1, 2]);
  });
});
