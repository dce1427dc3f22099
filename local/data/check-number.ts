import { FlError } from '../../shared/core/errors.ts';

/** Returns `value` if it lies in [from, to], and is whole where asked. @throws {FlError} option-invalid, naming the option */
export function checkNumber(name: string, value: number, from: number, to: number, whole = false): number {
  if (!(value >= from && value <= to) || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new FlError('option-invalid', `${name} is ${value}, expected ${kind} from ${from} to ${to}`);
  }
  return value;
}
