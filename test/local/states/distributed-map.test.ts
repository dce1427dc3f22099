import { describe, expect, it } from 'vitest';
import { execute, FunctionFault, machine, StandingClock, stageOf, task, whenEnded } from './stage.ts';

const done = { Type: 'Pass', End: true };
const itemReader = {
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: 'JSON' },
  Arguments: { Bucket: '{% $states.input.bucket %}', Key: '{% $states.input.key %}' },
};
const place = { bucket: 'updates', key: 'tiles.json' };
const objects = { 'updates/tiles.json': '[1,2,3,4,5]' };

function spread(one: Record<string, unknown>, rest: Record<string, unknown> = {}, ExecutionType = 'STANDARD') {
  const ProcessorConfig = { Mode: 'DISTRIBUTED', ExecutionType };
  const ItemProcessor = { ProcessorConfig, StartAt: 'One', States: { One: one } };
  return machine({ Tiles: { Type: 'Map', Label: 'tiles', ItemProcessor, ItemReader: itemReader, End: true, ...rest } });
}

/** A function that fails on odd items; of a batch, if any item is odd. */
const refuseOdd = (payload: unknown) => {
  const text = JSON.stringify(payload);
  if (/[13579]/.test(text)) throw new FunctionFault('Odd', text);
  return payload;
};
const callTask = task('work', { Output: '{% $states.result.Payload %}', End: true });

describe('distributed Map', () => {
  it('reads its items from S3 and gives the children’s outputs in order', async () => {
    const ended = await execute(spread({ ...done, Output: '{% $states.input * 10 %}' }), place, { objects });
    expect(ended.output).toEqual([10, 20, 30, 40, 50]);
    expect(ended.types).toEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapStateStarted',
      'MapRunStarted',
      'MapRunSucceeded',
      'MapStateSucceeded',
      'MapStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('reads no more than MaxItems', async () => {
    const ItemReader = { ...itemReader, ReaderConfig: { InputType: 'JSON', MaxItems: 2 } };
    expect((await execute(spread(done, { ItemReader }), place, { objects })).output).toEqual([1, 2]);
  });

  it('gives each child a batch, with what all batches share', async () => {
    const ItemBatcher = { MaxItemsPerBatch: 2, BatchInput: { round: '{% $states.input.round %}' } };
    const ItemSelector = { tile: '{% $states.context.Map.Item.Value %}' };
    const { output } = await execute(spread(done, { ItemBatcher, ItemSelector }), { ...place, round: 7 }, { objects });
    expect(output).toEqual([
      { BatchInput: { round: 7 }, Items: [{ tile: 1 }, { tile: 2 }] },
      { BatchInput: { round: 7 }, Items: [{ tile: 3 }, { tile: 4 }] },
      { BatchInput: { round: 7 }, Items: [{ tile: 5 }] },
    ]);
  });

  it('runs children as executions of their own', async () => {
    const one = { ...done, Output: '{% $states.context.Execution %}' };
    const { output } = await execute(spread(one, { ItemReader: undefined, Items: ['x'] }), {});
    expect(output).toEqual([
      {
        Id: expect.stringMatching(/^arn:aws:states:us-east-1:000000000000:execution:round\/tiles:[0-9a-f-]{36}$/),
        Name: expect.stringMatching(/^[0-9a-f-]{36}$/),
        Input: 'x',
        StartTime: '2026-11-30T12:00:00.000Z',
      },
    ]);
  });

  it('bills Standard children by transition and Express children not', async () => {
    expect((await execute(spread(done), place, { objects })).transitions).toBe(6);
    const express = await execute(spread(done, {}, 'EXPRESS'), place, { objects, clock: new StandingClock() });
    expect(express).toMatchObject({ status: 'SUCCEEDED', transitions: 1 });
  });

  it('runs no more than MaxConcurrency children at once', async () => {
    let now = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++now);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
    };
    await execute(spread(callTask, { MaxConcurrency: 2 }), place, { objects, functions: { work } });
    expect(most).toBe(2);
  });

  it('does not spend the parent’s history on its children', async () => {
    const many = { 'updates/tiles.json': JSON.stringify(Array(2_000).fill(0)) };
    const chain = { StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'C' }, C: done } };
    const ItemProcessor = { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' }, ...chain };
    const ended = await execute(spread(done, { ItemProcessor }), place, { objects: many });
    expect(ended.status).toBe('SUCCEEDED');
    expect(ended.events).toHaveLength(8);
  });
});

describe('failures of children', () => {
  const stage = { objects, functions: { work: refuseOdd } };

  it('fail the Map at the first unless some are tolerated', async () => {
    const ended = await execute(spread(callTask, { MaxConcurrency: 1 }), place, stage);
    expect(ended).toMatchObject({ status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' });
    expect(ended.cause).toContain('Odd');
    expect(ended.calls).toHaveLength(1);
    expect(ended.types).toContain('MapRunFailed');
  });

  it('are left out of the result where they are tolerated', async () => {
    expect((await execute(spread(callTask, { ToleratedFailureCount: 3 }), place, stage)).output).toEqual([2, 4]);
    expect((await execute(spread(callTask, { ToleratedFailurePercentage: 60 }), place, stage)).output).toEqual([2, 4]);
  });

  it.each([
    [{ ToleratedFailureCount: 2 }],
    [{ ToleratedFailurePercentage: 59 }],
    [{ ToleratedFailureCount: 5, ToleratedFailurePercentage: 59 }],
  ])('fail the Map beyond %o', async (tolerated) => {
    const { error } = await execute(spread(callTask, tolerated), place, stage);
    expect(error).toBe('States.ExceedToleratedFailureThreshold');
  });

  it('count every item of a failed batch', async () => {
    // batches [1,2] [3,4] [5]: all fail, five items
    const ItemBatcher = { MaxItemsPerBatch: 2 };
    const failing = (count: number) => spread(callTask, { ItemBatcher, ToleratedFailureCount: count });
    expect((await execute(failing(4), place, stage)).error).toBe('States.ExceedToleratedFailureThreshold');
    expect((await execute(failing(5), place, stage)).output).toEqual([]);
  });

  it('end an Express child after five minutes', async () => {
    const clock = new StandingClock();
    const functions = { work: () => new Promise(() => {}) };
    const definition = spread(callTask, { ItemReader: undefined, Items: [1] }, 'EXPRESS');
    const { executions, registered } = stageOf(definition, { clock, functions });
    const ended = whenEnded(executions, 'one');
    const execution = executions.start(registered, 'one', '{}');
    const wakeMs = await clock.nextWakeMs();
    expect(wakeMs - clock.now()).toBe(300_000);
    clock.advanceTo(wakeMs);
    await ended;
    expect(execution.end?.cause).toContain('States.Timeout');
  });
});

describe('what keeps a distributed Map from starting', () => {
  it.each([
    ['an object that is not there', {}, 'NoSuchKey'],
    ['an object that is no JSON', { 'updates/tiles.json': '[1,' }, 'cannot be read as JSON'],
    ['an object that is no array', { 'updates/tiles.json': '{}' }, 'must hold a JSON array'],
  ])('%s', async (_what, held, problem) => {
    const ended = await execute(spread(done), place, { objects: held });
    expect(ended.error).toBe('States.ItemReaderFailed');
    expect(ended.cause).toContain(problem);
  });

  it('a role that may not start the machine', async () => {
    const ended = await execute(spread(done), place, { objects, denied: ['states:StartExecution'] });
    expect(ended.error).toBe('States.Permissions');
    expect(ended.cause).toContain(
      'states:StartExecution on resource: arn:aws:states:us-east-1:000000000000:stateMachine:round',
    );
  });
});
