import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const launcher = fileURLToPath(new URL('../../../local/cli/tributary.mjs', import.meta.url));
const run = (...args: string[]) => spawnSync(process.execPath, [launcher, ...args], { encoding: 'utf8' });

test('hands over arguments, output and exit code', () => {
  const help = run('task', '--help');
  expect(help.stdout).toMatch(/Usage: tributary task/);
  expect(help.status).toBe(0);
  const wrong = run('start', '--rounds', 'many');
  expect(wrong.stderr).toMatch(/^error: option '--rounds <n>' argument 'many' is invalid/);
  expect(wrong.stderr.trim().split('\n')).toHaveLength(1);
  expect(wrong.stdout).toBe('');
  expect(wrong.status).toBe(2);
});
