import { InvalidArgumentError } from 'commander';
import { clientIdPattern } from '../../../shared/core/names.ts';

export function parseClientName(text: string): string {
  if (!clientIdPattern.test(text)) throw new InvalidArgumentError('Expected 1 to 64 of A-Z a-z 0-9 . _ -.');
  return text;
}

/** For `<names...>`: commander hands over one at a time and what came before. */
export function collectClientNames(text: string, before: readonly string[] = []): readonly string[] {
  const name = parseClientName(text);
  if (before.includes(name)) throw new InvalidArgumentError(`${name} is named twice.`);
  return [...before, name];
}
