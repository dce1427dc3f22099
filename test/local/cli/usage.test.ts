import { expect, test } from 'vitest';
import { runHere } from './recording-console.ts';

test.each<[string, RegExp]>([
  ['start --rounds 0', /--rounds .*'0'.* whole number/],
  ['start --rounds 1.5', /--rounds .*'1.5'/],
  ['start --rounds', /--rounds <n>' argument missing/],
  ['start --roundz 3', /unknown option '--roundz'[\s\S]*--rounds/],
  ['start --dataset cifar', /--dataset .*synthetic, sensors, series, mnist, csv/],
  ['start --mode both', /--mode .*async, sync/],
  ['start --target-accuracy 0', /--target-accuracy .*greater than 0/],
  ['start --target-accuracy 90', /--target-accuracy .*at most 1/],
  ['start --momentum 1', /--momentum .*less than 1/],
  ['start --lr nan', /--lr .*number/],
  ['start --hidden 64,x', /--hidden .*whole number/],
  ['start --task Bad_Name', /--task .*a-z/],
  ['start extra', /too many arguments/],
  ['start --dataset csv', /--data-dir/],
  ['start --dataset csv --data-dir x --clients 5', /--clients does not go with --dataset csv/],
  ['start --label y', /--label does not go with --dataset synthetic/],
  ['start --model cnn', /--model cnn does not go with --dataset synthetic/],
  ['start --dataset synthetic --model linear-forecast', /--model linear-forecast does not go with --dataset synthetic/],
  [
    'start --dataset sensors --model logistic-regression',
    /--model logistic-regression does not go with --dataset sensors/,
  ],
  ['start --dataset series --model cnn', /--model cnn does not go with --dataset series/],
  ['start --dataset sensors --data-dir x', /--data-dir does not go with --dataset sensors/],
  ['task show', /missing required argument 'task'/],
  ['task show t --endpoint example.com', /--endpoint .*http or https/],
  ['task create /nowhere/task.yaml', /cannot read \/nowhere\/task\.yaml/],
  ['model get t minus', /version number or "latest"/],
  ['model rollback t -- -1', /whole number/],
  ['client run --key ann.json', /required option '--task <id>'/],
  ['client run --task t', /required option '--key <file>'/],
  ['client run --key /nowhere/ann.json --task t', /there is no key file \/nowhere\/ann\.json/],
  ['client rotate', /required option '--key <file>'/],
  ['client rotate --key /nowhere/ann.json', /there is no key file/],
  ['client invite', /missing required argument 'names'/],
  ['client invite ../up', /A-Z a-z 0-9/],
  ['client invite north north', /north is named twice/],
  ['client invite north --lifetime 7', /--lifetime .*from 1s to 30d/],
  ['client invite north --lifetime 31d', /--lifetime .*from 1s to 30d/],
  ['client issue north', /required option '--out <dir>'/],
  ['client enrol --client north --out x', /required option '--code <code>'/],
  ['client enrol --code short --client north --out x', /--code: expected the 43 characters/],
  [`client enrol --code ${'c'.repeat(43)} --client a/b --out x`, /--client .*A-Z a-z 0-9/],
  [`client enrol --code ${'c'.repeat(43)} --client north --out package.json`, /there is a file already/],
  ['client show', /missing required argument 'name'/],
  ['client revoke a/b', /A-Z a-z 0-9/],
  ['dead-letters redrive', /ids of messages, or --all/],
  ['dead-letters drop 6b9f0f1e --all', /ids of messages, or --all/],
  ['trane', /unknown command 'trane'[\s\S]*start|unknown command 'trane'/],
])('refuses %j with one clear message and exit code 2', async (line, message) => {
  const { code, out, err } = await runHere(line.split(' '));
  expect(err).toMatch(message);
  expect(out).toBe('');
  expect(code).toBe(2);
});

test.each([
  '--help',
  'start --help',
  'task create --help',
  'task list --help',
  'task show --help',
  'task stop --help',
  'task resume --help',
])('%s prints help with an example on stdout and ends well', async (line) => {
  const { code, out } = await runHere(line.split(' '));
  expect(out).toMatch(/Usage: tributary/);
  expect(out).toMatch(/Examples?:/);
  expect(code).toBe(0);
});

test.each([
  'model list --help',
  'model get --help',
  'model rollback --help',
  'client run --help',
  'client invite --help',
  'client enrol --help',
  'client issue --help',
  'client rotate --help',
  'client list --help',
  'client show --help',
  'client revoke --help',
  'dead-letters list --help',
  'dead-letters redrive --help',
  'openapi --help',
  'synth --help',
  'deploy --help',
])('%s prints help with an example on stdout and ends well', async (line) => {
  const { code, out } = await runHere(line.split(' '));
  expect(out).toMatch(/Examples?:/);
  expect(code).toBe(0);
});
