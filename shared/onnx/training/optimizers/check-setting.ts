import { FlError } from '../../../core/errors.ts';

/** @throws {FlError} `optimizer-invalid` unless `least <= value < below` */
export function checkRange(name: string, value: number, least: number, below: number): void {
  if (value >= least && value < below) return;
  throw new FlError('optimizer-invalid', `${name} is ${value}, expected a number in [${least}, ${below})`);
}
