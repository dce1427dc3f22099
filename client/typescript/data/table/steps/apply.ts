import type { FittedStep } from '../encoding.ts';
import { columnOf, type Frame } from '../frame.ts';
import { fillByNearest } from './nearest.ts';
import { fillByRegression } from './regression.ts';

/**
 * Applies the steps in place.
 * @param donors rows of the same silo that missing values may be taken from; they go through the steps too. May be `frame` itself.
 */
export function applySteps(steps: readonly FittedStep[], frame: Frame, donors: Frame): void {
  for (const step of steps) {
    // A row never gives what it misses itself, so the donors' own gaps may be filled after the frame's.
    applyStep(step, frame, donors);
    if (donors !== frame) applyStep(step, donors, donors);
  }
}

function applyStep(step: FittedStep, frame: Frame, donors: Frame): void {
  switch (step.kind) {
    case 'scale':
      for (const { name, mean, deviation } of step.columns) change(frame, name, (value) => (value - mean) / deviation);
      break;
    case 'clip':
      // NaN stays NaN.
      for (const { name, low, high } of step.columns)
        change(frame, name, (value) => Math.min(high, Math.max(low, value)));
      break;
    case 'fill':
      for (const { name, value } of step.columns) change(frame, name, (held) => (Number.isNaN(held) ? value : held));
      break;
    case 'fill-nearest':
      fillByNearest(step, frame, donors);
      break;
    case 'fill-regression':
      fillByRegression(step, frame);
      break;
  }
}

function change(frame: Frame, name: string, by: (value: number) => number): void {
  const values = columnOf(frame, name);
  for (let i = 0; i < values.length; i++) values[i] = by(values[i]);
}
