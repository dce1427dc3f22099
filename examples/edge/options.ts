import { parseArgs } from 'node:util';
import { parseBetween, parseOnlyWhen, type SchedulePolicy } from '../../client/typescript/schedule.ts';

/** Every option is a flag, or a variable of the environment: `--only-when` is `TRIBUTARY_ONLY_WHEN`. */
export interface Options {
  readonly endpoint?: string;
  readonly client?: string;
  readonly code?: string;
  readonly key: string;
  readonly task?: string;
  readonly data?: string;
  readonly store: string;
  readonly updates?: number;
  readonly policy: SchedulePolicy;
}

const names = [
  'endpoint',
  'client',
  'code',
  'key',
  'task',
  'data',
  'store',
  'updates',
  'only-when',
  'between',
] as const;

/** @throws {RangeError} naming the option; TypeError on an unknown one */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options & { readonly verb: string | undefined } {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (positionals.length > 1) throw new RangeError(`${positionals[1]}: expected one verb`);
  const given = (name: (typeof names)[number]) => {
    const flag = values[name];
    const variable = env[`TRIBUTARY_${name.toUpperCase().replace('-', '_')}`];
    return (typeof flag === 'string' ? flag : variable) || undefined;
  };
  const [updates, onlyWhen, between] = [given('updates'), given('only-when'), given('between')];
  if (updates !== undefined && !/^[1-9]\d{0,8}$/.test(updates)) {
    throw new RangeError(`--updates ${updates}: expected a whole number of at least 1`);
  }
  return {
    verb: positionals[0],
    endpoint: given('endpoint'),
    client: given('client'),
    code: given('code'),
    key: given('key') ?? 'key.json',
    task: given('task'),
    data: given('data'),
    store: given('store') ?? 'update',
    updates: updates === undefined ? undefined : Number(updates),
    policy: {
      ...(onlyWhen && parseOnlyWhen(onlyWhen)),
      ...(between && { between: parseBetween(between) }),
    },
  };
}

/** @throws {RangeError} if it was not given */
export function needed(options: Options, name: 'endpoint' | 'client' | 'code' | 'task' | 'data'): string {
  const value = options[name];
  if (value === undefined) throw new RangeError(`--${name} or TRIBUTARY_${name.toUpperCase()} is missing`);
  return value;
}
