import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import { CutShort, fetchTransport, type Transport } from '../../client/typescript/transport.ts';
import { parseOptions } from '../../examples/edge/options.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { type CloudFile, cloudFile, stateFolder } from '../../local/cli/endpoint.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { codeBlocks } from './code-blocks.ts';
import { freshAssembly, type RunningFederation, startFederation } from './small-federation.ts';

/** examples/edge as its README has it, and its one file under signals. */

const root = join(import.meta.dirname, '..', '..');
const edge = join(root, 'examples', 'edge');
const placeholder = 'https://ID.execute-api.eu-central-1.amazonaws.com';

let federation: RunningFederation;
let folder: string;
const at = (name: string) => join(folder, name);

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
}

/** Runs a program to its end, or to the signal that a line on its standard output brings on. */
async function program(
  command: string,
  args: readonly string[],
  {
    env = {},
    onLine = () => {},
  }: { env?: object; onLine?: (line: string, kill: (signal: NodeJS.Signals) => void) => void } = {},
): Promise<Ended> {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, unread] = ['', ''];
  child.stdout.on('data', (chunk) => {
    said += chunk;
    const lines = `${unread}${chunk}`.split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) onLine(line, (signal) => child.kill(signal));
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (status, signal) => resolve({ status, signal, said }));
  });
}

/** A shell in which `npx tributary` and `node` are this checkout's. */
async function shell(script: string): Promise<string> {
  const { status, said } = await program('bash', ['-euo', 'pipefail', '-c', script], {
    env: { PATH: `${at('bin')}:${process.env.PATH}` },
  });
  expect(status, said).toBe(0);
  return said;
}

type Line = { readonly kind: string } & Readonly<Record<string, unknown>>;
const linesOf = (said: string): Line[] =>
  said.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
const kinds = (said: string) => linesOf(said).map(({ kind }) => kind);

async function edgeClient(task: string, more: Parameters<typeof program>[2] = {}, ...args: string[]): Promise<Ended> {
  const given = ['run', '--key', 'key.json', '--store', 'update', '--data', 'meters.csv', '--task', task, ...args];
  return program(process.execPath, ['--max-old-space-size=128', 'tributary-client.mjs', ...given], more);
}

async function createMeters(task: string): Promise<void> {
  await shell(
    `sed s/meters/${task}/ task.yaml > ${task}.yaml; npx tributary task create ${task}.yaml --encoding encoding.json`,
  );
}

/** All updates of the task are of this client, each in a version of its own, and none was counted twice. */
async function expectCounted(task: string, updates: number): Promise<void> {
  await federation.cloud.idle();
  const found = await federation.api.task(task);
  expect(found).toMatchObject({ version: updates, quarantine: [] });
  expect(found.updates).toMatchObject({ admitted: updates, aggregated: updates, quarantined: 0, buffered: 0 });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-edge-'));
  federation = await startFederation(await freshAssembly());
  for (const name of ['meters.csv', 'task.yaml']) cpSync(join(edge, name), at(name));
  for (const made of ['bin', stateFolder]) mkdirSync(at(made));
  const { credentials } = federation.cloud;
  const { endpoint } = federation;
  const cloud: CloudFile = { endpoint, region: credentials.region, credentials, pid: process.pid };
  writeFileSync(at(cloudFile), JSON.stringify(cloud));
  const scripts = {
    npx: `shift; exec '${process.execPath}' '${join(root, 'local', 'cli', 'tributary.mjs')}' "$@"`,
    // build.ts lies where its imports are.
    node: `case "$1" in build.ts) shift; set -- '${join(edge, 'build.ts')}' "$@";; esac; exec '${process.execPath}' "$@"`,
  };
  for (const [file, script] of Object.entries(scripts)) {
    writeFileSync(at(join('bin', file)), `#!/bin/sh\n${script}\n`);
    chmodSync(at(join('bin', file)), 0o755);
  }
});
afterAll(async () => {
  await federation?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('every block of the README runs: from a CSV file to two updates of one file without a package beside it', async () => {
  const [operator, device, ...others] = codeBlocks(join(edge, 'README.md'), 'sh');
  expect(others).toEqual([]);
  const invited = await shell(operator);
  const code = /[A-Za-z0-9_-]{43}/.exec(invited)?.[0] ?? '';
  const said = await shell(device.replace(placeholder, federation.endpoint).replace('=CODE', `=${code}`));
  expect(kinds(said).slice(0, 2)).toEqual(['enrolled', 'started']);
  expect(linesOf(said)[1]).toMatchObject({ client: 'pi-1', task: 'meters', rows: 72, runtime: 'wasm' });
  expect(linesOf(said).at(-1)).toMatchObject({ kind: 'ended', updates: 2, reason: 'max-updates' });
  expect(readdirSync(at('update'))).toEqual([]);
  await expectCounted('meters', 2);
});

describe('the one file', () => {
  test('enrols itself where it has a code and no key, and exits with 2 where no restart helps', async () => {
    const { invitations } = await federation.api.invite({ clients: ['pi-2'] });
    const env = {
      TRIBUTARY_CLIENT: 'pi-2',
      TRIBUTARY_CODE: invitations[0].code,
      TRIBUTARY_ENDPOINT: federation.endpoint,
    };
    const { status, said } = await edgeClient('no-such-task', { env }, '--key', 'pi-2.json');
    expect(kinds(said)).toEqual(['enrolled', 'started', 'failed']);
    expect([status, linesOf(said).at(-1)?.code]).toEqual([2, 'task-unknown']);
  });

  test('stopped by SIGTERM in the middle, it exits with 0 and goes on after the next start', async () => {
    await createMeters('stopped');
    const stopped = await edgeClient('stopped', {
      onLine: (line, kill) => {
        if (line.includes('"trained"')) kill('SIGTERM');
      },
    });
    expect([stopped.status, linesOf(stopped.said).at(-1)], stopped.said).toMatchObject([
      0,
      { kind: 'ended', reason: 'aborted' },
    ]);
    const before = linesOf(stopped.said).filter(({ kind }) => kind === 'uploaded').length;
    const again = await edgeClient('stopped', {}, '--updates', '2');
    expect([again.status, linesOf(again.said).at(-1)?.updates], again.said).toEqual([0, 2]);
    await expectCounted('stopped', before + 2);
    expect(readdirSync(at('update'))).toEqual([]);
  });

  test.each(['before', 'after'])(
    'killed with -9 %s its update is stored, it stores the same one after the next start',
    async (when) => {
      const task = `killed-${when}`;
      await createMeters(task);
      const hook = at(`${when}.mjs`);
      const die = "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});";
      writeFileSync(
        hook,
        `const { fetch } = globalThis;
       globalThis.fetch = async (url, options) => {
         if (options?.method !== 'PUT') return fetch(url, options);
         ${when === 'before' ? '' : 'await fetch(url, options);'}
         ${die}
       };`,
      );
      const killed = await edgeClient(task, { env: { NODE_OPTIONS: `--import=${hook}` } });
      expect([killed.signal, kinds(killed.said).at(-1)], killed.said).toEqual(['SIGKILL', 'trained']);
      expect(readdirSync(at('update'))).toEqual([`pending%2F${task}%2Fpi-1`]);
      const ticket = linesOf(killed.said).find(({ kind }) => kind === 'ticket')?.ticket;

      const again = await edgeClient(task, {}, '--updates', '1');
      expect(kinds(again.said).filter((kind) => kind === 'ticket' || kind === 'trained')).toEqual([]);
      expect(linesOf(again.said).find(({ kind }) => kind === 'resumed')).toMatchObject({ ticket });
      expect(linesOf(again.said).at(-1)).toMatchObject({ kind: 'ended', updates: 1 });
      await expectCounted(task, 1);
      expect(readdirSync(at('update'))).toEqual([]);
    },
  );

  test('waits for its hours', async () => {
    const hour = new Date().getHours();
    // Neither now nor in the next hour.
    const between = `${(hour + 3) % 24}-${(hour + 4) % 24}`;
    const { status, said } = await edgeClient(
      'meters',
      {
        onLine: (line, kill) => {
          if (line.includes('"waiting"')) kill('SIGTERM');
        },
      },
      '--between',
      between,
    );
    expect([status, kinds(said)]).toEqual([0, ['started', 'waiting', 'ended']]);
  });
});

test('the unit is one that systemd takes, and each of its variables one that the file reads', (context) => {
  const unit = join(edge, 'tributary-client.service');
  const set = [...readFileSync(unit, 'utf8').matchAll(/^Environment=(TRIBUTARY_\w+)=/gm)].map(([, name]) => name);
  const options = parseOptions([], Object.fromEntries(set.map((name) => [name, name])));
  expect(set).toHaveLength(3);
  expect(Object.values(options)).toEqual(expect.arrayContaining(set));
  const { error, status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' });
  if (error) context.skip('systemd-analyze is not on this machine');
  expect([status, stderr.trim()]).toEqual([0, '']);
});

test('a model that is cut off is gone on with from a presigned URL of the federation', async () => {
  const task = 'cut';
  const model = await buildModel({ kind: 'mlp', features: 400, hidden: [200], classes: 10 }, 1);
  await createTask(federation.api, { task, round: { buffer: 1 } }, model, {});
  let modelUrl = '';
  const answers: [number, string | undefined, number][] = [];
  const transport: Transport = async (request) => {
    const answer = await fetchTransport(request);
    const { status, headers, body } = answer;
    if (request.url !== modelUrl) return answer;
    answers.push([status, request.headers?.range, body.length]);
    if (answers.length > 1) return answer;
    throw new CutShort({ status, headers, body: body.slice(0, 262_144) }, new Error('cut'));
  };
  const identity = await federation.key('pi-3');
  const client = new TributaryClient({ endpoint: federation.endpoint, identity, transport });
  const ticket = await client.requestTicket(task);
  if (ticket.kind !== 'issued') throw new Error(`no ticket: ${ticket.kind}`);
  modelUrl = ticket.ticket.modelUrl;
  const { params, bytes } = await client.downloadModel(ticket.ticket);
  expect(answers.map(([status, range]) => [status, range])).toEqual([
    [200, undefined],
    [206, 'bytes=262144-'],
  ]);
  expect(answers[0][2] - answers[1][2]).toBe(262_144);
  expect(bytes).toBe(answers[0][2]);
  expect(params.values).toEqual((await (await federation.client('pi-3')).downloadModel(ticket.ticket)).params.values);
});
