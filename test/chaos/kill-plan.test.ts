import { expect, test } from 'vitest';
import { killPlan, victims } from './kill-plan.ts';

const rates = { rounds: 200, functionsPerRound: 1.5, clouds: 25 };

test('the same seed plans the same kills, another seed others', () => {
  expect(killPlan(1, rates)).toEqual(killPlan(1, rates));
  expect(killPlan(1, rates)).not.toEqual(killPlan(2, rates));
});

test('spreads the kills over all rounds in order, and over every victim', () => {
  const plan = killPlan(3, rates);
  const functions = plan.filter(({ kind }) => kind === 'function');
  const clouds = plan.filter(({ kind }) => kind === 'cloud');
  expect([functions.length, clouds.length]).toEqual([300, 25]);
  expect(plan.map(({ version }) => version)).toEqual(plan.map(({ version }) => version).sort((a, b) => a - b));
  expect(new Set(clouds.map(({ version }) => Math.floor(version / 8))).size).toBe(25);
  expect(new Set(functions.flatMap((kill) => ('victim' in kill ? kill.victim : []))).size).toBe(victims.length);
  expect(plan.at(-1)?.version).toBeLessThan(200);
});
