import { taskIdPattern } from '../../../shared/core/names.ts';

const longest = 40;

/** A task id from the name of a data set: what it may not hold becomes `-`. */
export function taskNameOf(dataName: string): string {
  const plain = dataName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, longest - 6)
    .replace(/-+$/, '');
  return taskIdPattern.test(plain) ? plain : 'task';
}

/** The name, or the first of `name-2`, `name-3`, … that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let n = 2;
  while (taken.has(`${name}-${n}`)) n++;
  return `${name}-${n}`;
}
