import { FlError } from '../../../core/errors.ts';

/** @throws {FlError} `loss-invalid` unless the setting holds */
export function checkSetting(holds: boolean, name: string, value: unknown, expected: string): void {
  if (!holds) throw new FlError('loss-invalid', `${name} is ${JSON.stringify(value)}, expected ${expected}`);
}
