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
  ['dead-letters redrive', /ids of messages, or --all/],
  ['dead-letters drop 6b9f0f1e --all', /ids of messages, or --all/],
  ['client run', /required option '--task <id>'/],
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
  'dead-letters list --help',
  'dead-letters redrive --help',
  'synth --help',
  'deploy --help',
])('%s prints help with an example on stdout and ends well', async (line) => {
  const { code, out } = await runHere(line.split(' '));
  expect(out).toMatch(/Examples?:/);
  expect(code).toBe(0);
});
