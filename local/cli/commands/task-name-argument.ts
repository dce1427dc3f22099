import { InvalidArgumentError } from 'commander';
import { taskIdPattern } from '../../../shared/core/names.ts';

export function parseTaskName(text: string): string {
  if (!taskIdPattern.test(text)) {
    throw new InvalidArgumentError('Expected 1 to 40 of a-z, 0-9 and "-", starting with a letter.');
  }
  return text;
}
