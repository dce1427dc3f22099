import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  contribute,
  createSmallTask,
  freshAssembly,
  type RunningFederation,
  startFederation,
} from './small-federation.ts';

const rounds = 6;
const buffer = 4;
/** The functions that the state machine invokes. */
const roundFunctions = /^tributary-dev-(freeze|aggregate|publish|evaluate|settle)$/;

interface Trained {
  readonly models: readonly string[];
  readonly aggregated: number;
  readonly kills: readonly string[];
}

/** Trains a task of a few rounds on fixed updates. @param kill is called again and again while a round runs */
async function train(kill: (federation: RunningFederation, kills: string[]) => void): Promise<Trained> {
  const federation = await startFederation(await freshAssembly());
  const kills: string[] = [];
  const killing = setInterval(() => kill(federation, kills), 2);
  try {
    const { api, cloud } = federation;
    await createSmallTask(api, { task: 'killed', round: { buffer }, serverOptimizer: { kind: 'sgd', momentum: 0.5 } });
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < buffer; i++) {
        await contribute(federation, 'killed', `client-${i}`, (at) => Math.sin(round + i + at) / 10, 5 + i);
      }
      await cloud.idle();
    }
    const models = [];
    for (const { version } of await api.versions('killed')) {
      const { modelUrl } = await api.version('killed', version);
      models.push(
        createHash('sha256')
          .update(await api.get(modelUrl ?? ''))
          .digest('hex'),
      );
    }
    const { updates } = await api.task('killed');
    expect(updates).toMatchObject({ admitted: rounds * buffer, quarantined: 0, buffered: 0, open: 0 });
    return { models, aggregated: updates.aggregated, kills };
  } finally {
    clearInterval(killing);
    await federation.close();
  }
}

test('kill -9 of functions in the middle of rounds leaves every update counted once and the same model bytes', async () => {
  const calm = await train(() => {});
  expect(calm.models).toHaveLength(rounds + 1);
  expect(new Set(calm.models).size).toBe(rounds + 1);
  // Each function dies in three of its invocations, at whatever it was doing.
  const killed = await train(({ cloud }, kills) => {
    for (const { name, environments } of cloud.functions()) {
      const victim = environments.find(({ requestId }) => requestId !== undefined);
      if (!victim || !roundFunctions.test(name) || kills.filter((each) => each === name).length >= 3) continue;
      if (Math.random() < 0.3) continue; // not always at the start
      kills.push(name);
      process.kill(victim.pid, 'SIGKILL');
    }
  });
  expect(new Set(killed.kills).size).toBe(5);
  expect(killed.models).toEqual(calm.models);
  expect(killed.aggregated).toBe(rounds * buffer);
});
