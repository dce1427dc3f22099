import { describe, expect, test } from 'vitest';
import { type RoundStep, roundDefinition, roundSteps } from '../../infra/round-definition.ts';
import { mostInlineCells } from '../../shared/core/plan/estimate.ts';
import { execute, FunctionFault, functionArn, LeapingClock, StandingClock } from '../local/states/stage.ts';

const arns = Object.fromEntries(roundSteps.map((step) => [step, functionArn(step)]));
const definition = roundDefinition(arns as Record<RoundStep, string>);
const input = { task: 'demo', version: 1, attempt: 0 };
const plain = { judged: false, root: false, lossCells: 0, measureCells: 0, levels: [1] };
const published = { task: 'demo', version: 1, manifestKey: 'm' };

/** Runs a round whose freeze says `frozen`; each function records what it was called with. */
async function run(
  frozen: object,
  overrides: Readonly<Record<string, (payload: unknown) => unknown>> = {},
  // Time stands still: on a clock that leaps, an Express child would be over its five minutes at once.
  clock: LeapingClock | StandingClock = new StandingClock(),
) {
  const nothing = Object.fromEntries(roundSteps.map((step) => [step, (): unknown => null]));
  const functions = {
    ...nothing,
    Freeze: () => ({ outcome: 'frozen', manifestKey: 'm', ...plain, ...frozen }),
    Publish: () => published,
    Evaluate: () => ({ loss: 1, accuracy: 0.5, examples: 2 }),
    Seal: (payload: unknown) => payload,
    ...overrides,
  };
  const ended = await execute(definition, input, { functions, clock });
  return { ...ended, steps: ended.calls.map(({ functionName }) => functionName) };
}

describe('the round', () => {
  test('of plain updates goes from freeze to settle without measuring or judging', async () => {
    const { status, steps, calls } = await run({});
    expect(status).toBe('SUCCEEDED');
    expect(steps).toEqual(['Freeze', 'Aggregate', 'Publish', 'Evaluate', 'Seal', 'Settle']);
    expect(calls[1].payload).toEqual({ manifestKey: 'm', cell: 0, level: 0 });
    expect(calls[2].payload).toEqual({ manifestKey: 'm' });
    for (const at of [4, 5])
      expect(calls[at].payload).toEqual({ ...published, evaluation: { loss: 1, accuracy: 0.5, examples: 2 } });
  });

  test('with rules measures what they ask for, then judges, then aggregates', async () => {
    const { steps, calls } = await run({ judged: true, root: true, lossCells: 2, measureCells: 3 });
    expect(steps.slice(0, 2)).toEqual(['Freeze', 'Root']);
    expect(steps.slice(2, 4)).toEqual(['Losses', 'Losses']);
    expect(steps.slice(4, 7)).toEqual(['Measure', 'Measure', 'Measure']);
    expect(steps.slice(7)).toEqual(['Judge', 'Aggregate', 'Publish', 'Evaluate', 'Seal', 'Settle']);
    expect(calls.slice(4, 7).map(({ payload }) => payload)).toEqual(
      [0, 1, 2].map((cell) => ({ manifestKey: 'm', cell })),
    );
  });

  test('with rules that measure nothing still judges', async () => {
    expect((await run({ judged: true })).steps.slice(0, 3)).toEqual(['Freeze', 'Judge', 'Aggregate']);
  });

  test('aggregates level by level, each before the next begins', async () => {
    const { calls } = await run({ levels: [3, 2, 1] });
    const cells = calls.flatMap(({ functionName, payload }) => (functionName === 'Aggregate' ? [payload] : []));
    const levels = cells.map((cell) => JSON.parse(JSON.stringify(cell)).level);
    expect(levels).toEqual([0, 0, 0, 1, 1, 2]);
  });

  test('hands more cells than an inline Map should have to Express children', async () => {
    const many = mostInlineCells + 1;
    const { status, calls, types, transitions } = await run({ levels: [many, 1] });
    expect(status).toBe('SUCCEEDED');
    const cells = calls.filter(({ functionName }) => functionName === 'Aggregate').map(({ payload }) => payload);
    expect(cells.slice(0, many).sort()).toHaveLength(many);
    expect(new Set(cells.map((cell) => JSON.stringify(cell))).size).toBe(many + 1);
    expect(types.filter((type) => type === 'MapRunStarted')).toHaveLength(1);
    // Express children are not billed by transition: the round's own states only.
    expect(transitions).toBeLessThan(20);
  });

  test.each(['input-malformed', 'manifest-malformed', 'verdict-malformed', 'losses-malformed', 'cell-unknown'])(
    'does not try again what %s stops, and releases its updates',
    async (code) => {
      const fault = () => {
        throw new FunctionFault(code, `[${code}] as it was, so it will be`);
      };
      const { status, error, steps } = await run({}, { Aggregate: fault });
      expect({ status, error, steps }).toEqual({
        status: 'FAILED',
        error: code,
        steps: ['Freeze', 'Aggregate', 'Release'],
      });
    },
  );

  test('tries again what may pass, some times', async () => {
    let calls = 0;
    const { status, steps } = await run(
      {},
      {
        Publish: () => {
          if (++calls < 3) throw new FunctionFault('TimeoutError', 'the store did not answer');
          return published;
        },
      },
      new LeapingClock(),
    );
    expect(status).toBe('SUCCEEDED');
    expect(steps.filter((step) => step === 'Publish')).toHaveLength(3);
  });

  test.each([1, mostInlineCells + 1])(
    'releases its updates with the code when one of %i cells fails for good',
    async (cells) => {
      const { status, error, calls } = await run(
        { levels: [cells] },
        {
          Aggregate: () => {
            throw new FunctionFault('model-not-finite', '[model-not-finite] parameter 3 would become NaN');
          },
        },
      );
      expect(status).toBe('FAILED');
      const release = calls.at(-1);
      expect(release?.functionName).toBe('Release');
      expect(release?.payload).toMatchObject(input);
      // The map of many wraps it: release looks for the code in the cause.
      expect(JSON.stringify(release?.payload)).toContain('[model-not-finite]');
      if (cells === 1) expect(error).toBe('model-not-finite');
    },
  );
});
