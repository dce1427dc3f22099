import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NameTaken } from '../../../local/cloud/states/execution.ts';
import {
  FunctionFault,
  LeapingClock,
  machine,
  machineArn,
  newDir,
  reportOf,
  type Stage,
  StandingClock,
  stageOf,
  startMs,
  task,
  whenEnded,
} from './stage.ts';

const done = { Type: 'Pass', End: true };
const now = Promise.resolve();
const forever = () => new Promise(() => {});

/** Starts the machine and leaves it once the function is called, as a killed process would. */
async function crashIn(definition: unknown, input: unknown, stage: Stage, stuck: string): Promise<void> {
  const reached = Promise.withResolvers<void>();
  const functions = {
    ...stage.functions,
    [stuck]: () => {
      reached.resolve();
      return forever();
    },
  };
  const { executions, registered } = stageOf(definition, { ...stage, functions });
  executions.start(registered, 'one', JSON.stringify(input));
  await reached.promise;
}

/** Takes up what was left in the directory and waits for its end. */
async function resume(definition: unknown, stage: Stage) {
  const { executions, registered, calls, usage } = stageOf(definition, stage);
  const ended = whenEnded(executions, 'one');
  executions.recover(new Map([[registered.arn, registered]]), now);
  await ended;
  const [execution] = [...executions.all()];
  return { ...reportOf(executions, execution), calls, transitions: usage.transitions };
}

function journalIn(dir: string): string {
  const [name] = readdirSync(dir);
  return join(dir, name);
}

describe('after a crash', () => {
  const states = machine({
    Prepare: task('prepare', { Assign: { key: '{% $states.result.Payload %}' }, Output: { n: 1 }, Next: 'Freeze' }),
    Freeze: task('freeze', {
      Output: ['{% $states.input %}', '{% $key %}', '{% $states.result.Payload %}'],
      End: true,
    }),
  });

  it('an execution goes on at the state it was in, with its input and variables', async () => {
    const dir = newDir();
    const functions = { prepare: () => 'k1' };
    await crashIn(states, {}, { dir, functions }, 'freeze');
    const ended = await resume(states, { dir, functions: { freeze: () => 'frozen' } });
    expect(ended.output).toEqual([{ n: 1 }, 'k1', 'frozen']);
    expect(ended.calls).toEqual([{ functionName: 'freeze', payload: { n: 1 } }]);
    expect(ended.types.filter((type) => type === 'TaskStateEntered')).toHaveLength(2);
    expect(ended.transitions).toBe(0);
    expect(ended.events.map(({ id }) => id)).toEqual(ended.events.map((_event, i) => i + 1));
  });

  it('survives one crash after the other', async () => {
    const dir = newDir();
    const functions = { prepare: () => 'k1' };
    await crashIn(states, {}, { dir, functions }, 'freeze');
    for (let crash = 0; crash < 3; crash++) {
      const called = Promise.withResolvers<void>();
      const freeze = () => {
        called.resolve();
        return forever();
      };
      const { executions, registered } = stageOf(states, { dir, functions: { freeze } });
      executions.recover(new Map([[registered.arn, registered]]), now);
      await called.promise;
    }
    expect((await resume(states, { dir, functions: { freeze: () => 'at last' } })).status).toBe('SUCCEEDED');
  });

  it('goes on if the process died while it wrote a line', async () => {
    const dir = newDir();
    await crashIn(states, {}, { dir, functions: { prepare: () => 'k1' } }, 'freeze');
    appendFileSync(journalIn(dir), '{"event":{"id":99,"type":"TaskSu');
    const ended = await resume(states, { dir, functions: { freeze: () => 'ü' } });
    expect(ended.status).toBe('SUCCEEDED');
    expect(ended.events.some(({ id }) => id === 99)).toBe(false);
  });

  it('goes on wherever the journal was cut off', async () => {
    const dir = newDir();
    const functions = { prepare: () => 'k1', freeze: () => 'frozen' };
    await crashIn(states, {}, { dir, functions }, 'freeze');
    const whole = readFileSync(journalIn(dir), 'utf8');
    for (let length = whole.indexOf('\n') + 1; length <= whole.length; length += 97) {
      writeFileSync(journalIn(dir), whole.slice(0, length));
      const ended = await resume(states, { dir, functions });
      expect(ended.output).toEqual([{ n: 1 }, 'k1', 'frozen']);
    }
  });

  it('frees a name whose execution was never acknowledged', () => {
    const dir = newDir();
    writeFileSync(join(dir, 'one.0123456789abcdef.jsonl'), '{"start":{"arn":"arn:aw');
    const { executions, registered } = stageOf(machine({ A: done }), { dir });
    executions.recover(new Map([[registered.arn, registered]]), now);
    expect([...executions.all()]).toEqual([]);
    expect(() => executions.start(registered, 'one', '{}')).not.toThrow();
  });

  it('names a journal that is damaged otherwise', async () => {
    const dir = newDir();
    await crashIn(states, {}, { dir, functions: { prepare: () => 'k1' } }, 'freeze');
    const lines = readFileSync(journalIn(dir), 'utf8').split('\n');
    lines[1] = '{{{';
    writeFileSync(journalIn(dir), lines.join('\n'));
    const { executions } = stageOf(states, { dir });
    expect(() => executions.recover(new Map(), now)).toThrow(/line 2 is not JSON/);
  });

  it('re-enters a Map from its first item', async () => {
    const dir = newDir();
    const one = task('tile', { Output: '{% $states.result.Payload %}', End: true });
    const each = { Type: 'Map', MaxConcurrency: 1, ItemProcessor: { StartAt: 'One', States: { One: one } }, End: true };
    const fan = machine({ Start: { Type: 'Pass', Next: 'Each' }, Each: each });
    let tiles = 0;
    const reached = Promise.withResolvers<void>();
    const tile = (n: unknown) => {
      tiles += 1;
      if (tiles === 2) {
        reached.resolve();
        return forever();
      }
      return n;
    };
    const { executions, registered } = stageOf(fan, { dir, functions: { tile } });
    executions.start(registered, 'one', '[10,20]');
    await reached.promise;
    const ended = await resume(fan, { dir, functions: { tile: (n) => n } });
    expect(ended.output).toEqual([10, 20]);
    expect(ended.calls.map(({ payload }) => payload)).toEqual([10, 20]);
  });

  it('gives a retried state all of its retries again', async () => {
    const dir = newDir();
    const Retry = [{ ErrorEquals: ['Busy'], MaxAttempts: 2 }];
    const retrying = machine({ F: task('freeze', { Retry, End: true }) });
    await crashIn(retrying, {}, { dir }, 'freeze');
    const freeze = () => {
      throw new FunctionFault('Busy', '');
    };
    expect((await resume(retrying, { dir, functions: { freeze } })).calls).toHaveLength(3);
  });

  it('waits only for the rest of a Wait', async () => {
    const dir = newDir();
    const waiting = machine({ W: { Type: 'Wait', Seconds: 60, End: true } });
    const first = new StandingClock();
    const { executions, registered } = stageOf(waiting, { dir, clock: first });
    executions.start(registered, 'one', '{}');
    expect(await first.nextWakeMs()).toBe(startMs + 60_000);
    const second = new StandingClock(startMs + 45_000);
    const resumed = stageOf(waiting, { dir, clock: second });
    const ended = whenEnded(resumed.executions, 'one');
    resumed.executions.recover(new Map([[registered.arn, registered]]), now);
    expect(await second.nextWakeMs()).toBe(startMs + 60_000);
    second.advanceTo(startMs + 60_000);
    await ended;
  });

  it('runs on with the definition that it was started with', async () => {
    const dir = newDir();
    await crashIn(states, {}, { dir, functions: { prepare: () => 'k1' } }, 'freeze');
    const other = machine({ Other: { Type: 'Fail', Error: 'NotMe' } });
    expect((await resume(other, { dir, functions: { freeze: () => 1 } })).status).toBe('SUCCEEDED');
  });

  it('aborts an execution whose machine is gone', async () => {
    const dir = newDir();
    await crashIn(states, {}, { dir, functions: { prepare: () => 'k1' } }, 'freeze');
    const { executions } = stageOf(states, { dir });
    executions.recover(new Map(), now);
    expect([...executions.all()].map(({ end }) => end?.status)).toEqual(['ABORTED']);
  });

  it('starts nothing before the local cloud is ready', async () => {
    const dir = newDir();
    await crashIn(states, {}, { dir, functions: { prepare: () => 'k1' } }, 'freeze');
    const { executions, registered, calls } = stageOf(states, { dir, functions: { freeze: () => 1 } });
    const ready = Promise.withResolvers<void>();
    const ended = whenEnded(executions, 'one');
    executions.recover(new Map([[registered.arn, registered]]), ready.promise);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([]);
    expect(executions.running()).toHaveLength(1);
    ready.resolve();
    await ended;
  });

  it('is resumed after an orderly close as after a crash', async () => {
    const dir = newDir();
    const reached = Promise.withResolvers<void>();
    const freeze = () => {
      reached.resolve();
      return forever();
    };
    const { executions, registered } = stageOf(states, { dir, functions: { prepare: () => 'k1', freeze } });
    executions.start(registered, 'one', '{}');
    await reached.promise;
    await executions.close();
    expect((await resume(states, { dir, functions: { freeze: () => 'f' } })).status).toBe('SUCCEEDED');
  });
});

describe('names', () => {
  it('stay taken after a restart, however the execution ended', async () => {
    const dir = newDir();
    const states = machine({ A: done });
    const first = stageOf(states, { dir, clock: new LeapingClock() });
    const ended = whenEnded(first.executions, 'one');
    first.executions.start(first.registered, 'one', '{"a":1}');
    await ended;
    const { executions, registered } = stageOf(states, { dir });
    executions.recover(new Map([[registered.arn, registered]]), now);
    expect(executions.running()).toEqual([]);
    expect(executions.find(`${machineArn.replace('stateMachine', 'execution')}:one`)?.end).toMatchObject({
      status: 'SUCCEEDED',
      output: '{"a":1}',
    });
    expect(() => executions.start(registered, 'one', '{"a":1}')).toThrow(NameTaken);
  });

  it('that differ in case only, or in signs that files cannot have, are kept apart', async () => {
    const dir = newDir();
    const { executions, registered } = stageOf(machine({ A: done }), { dir });
    const names = ['a', 'A', 'ä', '.', '..', 'a+b', 'a=b'];
    await Promise.all(
      names.map((name) => {
        const ended = whenEnded(executions, name);
        executions.start(registered, name, '{}');
        return ended;
      }),
    );
    expect(new Set(readdirSync(dir).map((file) => file.toLowerCase())).size).toBe(names.length);
  });
});

describe('StopExecution', () => {
  it('ends a running execution for good, whatever its function still answers', async () => {
    const answer = Promise.withResolvers<unknown>();
    const called = Promise.withResolvers<void>();
    const freeze = () => {
      called.resolve();
      return answer.promise;
    };
    const states = machine({ F: task('freeze', { Next: 'B' }), B: done });
    const { executions, registered } = stageOf(states, { functions: { freeze } });
    const execution = executions.start(registered, 'one', '{}');
    await called.promise;
    executions.stop(execution, 'Operator', 'enough');
    answer.resolve(1);
    await executions.close();
    const { status, error, types } = reportOf(executions, execution);
    expect({ status, error }).toEqual({ status: 'ABORTED', error: 'Operator' });
    expect(types.at(-1)).toBe('ExecutionAborted');
    expect(types).not.toContain('TaskSucceeded');
  });
});
