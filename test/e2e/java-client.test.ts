import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { loadKeyFile } from '../../client/typescript/key-file-store.ts';
import { onnxParticipant } from '../../client/typescript/onnx.ts';
import { contributorLines } from '../../local/cli/commands/task-show.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { encodeHeldOut } from '../../shared/wire/held-out.ts';
import { codeBlocks } from './code-blocks.ts';
import { freshAssembly, type RunningFederation, startFederation } from './small-federation.ts';

/** The Java client of examples/java, as its README runs it, beside a Node client in a local cloud. */

const root = join(import.meta.dirname, '..', '..');
const example = join(root, 'examples', 'java', 'TributaryClient.java');
const features = 8;
const classes = 3;
const run = promisify(execFile);

/** Major version of the JDK on the PATH; undefined without one. */
const jdk = await run('javac', ['-version']).then(
  ({ stdout }) => Number(/^javac (\d+)/.exec(stdout)?.[1]),
  () => undefined,
);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-java-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function needJdk(context: TestContext): void {
  if (jdk === undefined || jdk < 17)
    context.skip('no JDK of 17 or newer on the PATH: apt-get install default-jdk-headless');
}

test('the client has fewer than 150 lines, and needs nothing but the JDK', () => {
  const source = readFileSync(example, 'utf8');
  expect(source.split('\n').length).toBeLessThan(151);
  const imports = [...source.matchAll(/^import (?:static )?([\w.*]+);/gm)].map(([, name]) => name);
  expect(imports.filter((name) => !name.startsWith('java.'))).toEqual([]);
});

describe('what the client puts on the wire', () => {
  test('is what every client does, byte for byte', async (context) => {
    needJdk(context);
    const vectors = JSON.parse(readFileSync(join(root, 'test', 'vectors', 'wire', 'client-wire.json'), 'utf8'));
    const { keyFile, kid, nowMs, proofs, statement, update } = vectors;
    const key = join(folder, 'vectors-key.json');
    writeFileSync(key, JSON.stringify(keyFile));
    const values = Float32Array.from(update.values, Number);
    const base64 = Buffer.from(values.buffer).toString('base64');
    const requests = [
      ['kid'],
      ...proofs.map(({ method, url, body, nonce }: Record<string, string>) => [
        'proof',
        method,
        url,
        body,
        nonce,
        nowMs,
      ]),
      ['statement', JSON.stringify(statement.claims)],
      ['update', headerOf(Buffer.from(update.file, 'base64')).trimEnd(), base64],
    ];
    const lines = join(folder, 'requests.txt');
    writeFileSync(lines, requests.map((fields) => fields.join('\t')).join('\n'));
    await run('javac', ['-d', folder, example, join(import.meta.dirname, 'java', 'WireVectors.java')]);
    const { stdout } = await run('java', ['-cp', folder, 'WireVectors', key, lines]);
    const authorizations = proofs.map(({ authorization }: { authorization: string }) => authorization);
    expect(stdout.trimEnd().split('\n')).toEqual([kid, ...authorizations, statement.jws, update.file]);
  });
});

/** The JSON header of a safetensors file, with what it is padded with. */
function headerOf(file: Buffer): string {
  return file.subarray(8, 8 + Number(file.readBigUInt64LE())).toString();
}

describe('the client', () => {
  let federation: RunningFederation;
  beforeAll(async () => {
    federation = await startFederation(await freshAssembly());
  });
  afterAll(() => federation?.close());

  test('learns with a Node client, as the README says', async (context) => {
    needJdk(context);
    const heldOut = someSamples('held out', 600);
    const model = await buildModel({ kind: 'logistic-regression', features, classes }, 1);
    const task = {
      task: 'readings',
      round: { buffer: 2 },
      training: { localEpochs: 1, batchSize: 16, learningRate: 0.02 },
      stop: { rounds: 5 },
    } as const;
    await createTask(federation.api, task, model, { heldOut: encodeHeldOut(heldOut) });
    writeFileSync(join(folder, 'readings.csv'), csvOf(someSamples('java', 240)));
    const [{ code }] = (await federation.api.invite({ clients: ['mill-3'] })).invitations;
    const script = codeBlocks(join(root, 'examples', 'java', 'README.md'), 'sh')
      .join('\n')
      .replace('https://ID.execute-api.eu-central-1.amazonaws.com', federation.endpoint)
      .replace('CODE', code)
      .replaceAll('TributaryClient.java', example);
    const node = await federation.client('node');
    const [ours] = await Promise.all([
      // Leaves work for the other, whose machine has to start first.
      node.participate('readings', { ...onnxParticipant({ ort, samples: someSamples('node', 240) }), maxUpdates: 3 }),
      run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder }),
    ]);
    expect(ours).toMatchObject({ updates: 3, reason: 'max-updates' });
    await federation.cloud.idle();

    const found = await federation.api.task('readings');
    expect(found).toMatchObject({ state: 'completed', version: 5, updates: { aggregated: 10 } });
    // A ticket that was given before the last version was settled may bring an update that no version takes.
    expect(found.quarantine.filter(({ reason }) => reason !== 'task-ended')).toEqual([]);
    const versions = await federation.api.versions('readings');
    const accuracies = versions.slice(1).map(({ evaluation }) => evaluation?.accuracy ?? 0);
    expect(accuracies.at(-1)).toBeGreaterThan(0.85);
    expect(accuracies.at(-1)).toBeGreaterThan(accuracies[0]);
    const rounds = await Promise.all(
      versions.slice(1).map(({ version }) => federation.api.version('readings', version)),
    );
    const contributors = rounds.flatMap((round) => round.contributors ?? []);
    expect(contributors.filter(({ client }) => client === 'node')).toHaveLength(3);
    expect(contributors.filter(({ client }) => client === 'mill-3')).toHaveLength(7);
    expect(contributorLines(contributors).join('\n')).toMatch(/mill-3 +java-example\/1 +240/);
    expect(federation.cloud.denials()).toEqual([]);
  });

  test('keeps its key where every client can read it, for its owner alone', async (context) => {
    needJdk(context);
    const file = join(folder, 'mill-3.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { key } = await loadKeyFile(file);
    expect((await federation.api.client('mill-3')).keys.map(({ kid }) => kid)).toEqual([key.kid]);
  });

  test('enrols again with the same key after an answer that was lost', async (context) => {
    needJdk(context);
    const [{ code }] = (await federation.api.invite({ clients: ['lost'] })).invitations;
    const enrol = () =>
      run('java', [example, 'enrol', federation.endpoint, code, 'lost', 'lost.json'], { cwd: folder });
    await enrol();
    await enrol();
    expect((await federation.api.client('lost')).keys).toHaveLength(1);
    await expect(
      run('java', [example, 'enrol', federation.endpoint, code, 'lost', 'other.json'], { cwd: folder }),
    ).rejects.toThrow(/invitation-used/);
  });
});

/** Three classes that a softmax regression tells apart. */
function someSamples(seed: string, n: number): Samples {
  const draw = randomFrom(seed);
  const x = Float32Array.from({ length: n * features }, () => draw.normal());
  const y = Int32Array.from({ length: n }, (_, i) => {
    const scores = [...x.subarray(i * features, i * features + classes)];
    return scores.indexOf(Math.max(...scores));
  });
  return { x, y, n, shape: [features] };
}

function csvOf({ x, y, n }: Samples): string {
  const names = Array.from({ length: features }, (_, i) => `sensor${i}`);
  const rows = Array.from({ length: n }, (_, i) => [...x.subarray(i * features, (i + 1) * features), y[i]].join(','));
  return [[...names, 'state'].join(','), ...rows].join('\n');
}
