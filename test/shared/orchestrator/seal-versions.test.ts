import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { verifyVersions } from '../../../local/cli/verify-versions.ts';
import { sealVersions } from '../../../shared/orchestrator/seal-versions.ts';
import { listVersions, showVersion } from '../../../shared/orchestrator/show-task.ts';
import { rollback } from '../../../shared/orchestrator/task-lifecycle.ts';
import type { VersionRecord } from '../../../shared/ports/round-store.ts';
import { readSeal, sealOf, signingInput } from '../../../shared/wire/seal.ts';
import { MemoryFederation, taskId } from '../../memory/federation.ts';
import { MemorySealer } from '../../memory/memory-sealer.ts';

const task = taskId('sealed');
let federation: MemoryFederation;

/** Two rounds with momentum, and a rollback. */
beforeEach(async () => {
  federation = new MemoryFederation();
  await federation.start({ task, round: { buffer: 1 }, serverOptimizer: { kind: 'sgd', momentum: 0.5 } });
  for (const client of ['a', 'b']) {
    await federation.contribute(task, client, new Float32Array(federation.layout.size).fill(1));
    await federation.runStarted();
  }
  await rollback(federation.ports, task, 1);
});

async function verify(key?: Awaited<ReturnType<MemorySealer['publicKey']>>) {
  const { ports, models } = federation;
  const api = {
    versions: () => listVersions(ports, task),
    version: (_task: string, version: number) => showVersion(ports, task, version),
    get: async (url: string) => models.objects.get(url.replace('memory:', '')) ?? new Uint8Array(),
  };
  const options = { key: key ?? (await ports.sealer.publicKey()), clientKeys: new Map(), isWhole: () => true };
  return (await verifyVersions(api, task, options)).map(({ problems }) => problems.join('; '));
}

const record = async (version: number): Promise<VersionRecord> => {
  const found = await federation.rounds.version(task, version);
  if (!found) throw new Error(`no version ${version}`);
  return found;
};

describe('sealing', () => {
  test('signs the hashes of manifest, model and state, each seal naming the one before', async () => {
    await sealVersions(federation.ports, task, 3);
    const key = await federation.ports.sealer.publicKey();
    const hash = (bytes: Uint8Array | string | undefined) =>
      createHash('sha256')
        .update(bytes ?? '')
        .digest('hex');
    const object = (path: string | undefined) => federation.models.objects.get(path ?? '');
    const [initial, first] = [await record(0), await record(1)];
    expect(await readSeal(initial.seal ?? '', key)).toEqual({
      ...{ task, version: 0, origin: { kind: 'initial' }, publishedAtMs: 1_000_000, updates: 0, examples: 0 },
      ...{ model: hash(object(initial.model.key)), state: {} },
    });
    expect(await readSeal(first.seal ?? '', key)).toMatchObject({
      manifest: hash(object(first.manifestKey)),
      model: hash(object(first.model.key)),
      state: { velocity: hash(object(first.model.stateKeys?.velocity)) },
      previous: hash(initial.seal),
    });
    expect((await readSeal((await record(3)).seal ?? '', key)).origin).toEqual({ kind: 'rollback', to: 1 });
    expect(await verify()).toEqual(['', '', '', '']);
  });

  test('seals once, whoever else seals at the same time', async () => {
    await Promise.all([1, 2, 3].map(() => sealVersions(federation.ports, task, 3)));
    const seals = (await listVersions(federation.ports, task)).map(({ seal }) => seal);
    await sealVersions(federation.ports, task, 3);
    expect((await listVersions(federation.ports, task)).map(({ seal }) => seal)).toEqual(seals);
    expect(await verify()).toEqual(['', '', '', '']);
  });

  test('says what the record says, whether the evaluation comes before, in between or after', async () => {
    const { ports, rounds } = federation;
    const key = await ports.sealer.publicKey();
    const evaluation = { loss: 1, accuracy: 0.5, examples: 10 };
    // The step of version 1 records its evaluation while that of version 2 seals both.
    const sign: MemorySealer['sign'] = async (message) => {
      await rounds.setEvaluation(task, 1, evaluation);
      return ports.sealer.sign(message);
    };
    await sealVersions({ ...ports, sealer: { sign, publicKey: () => ports.sealer.publicKey() } }, task, 2);
    await rounds.setEvaluation(task, 2, evaluation);
    for (const version of [1, 2]) {
      const { seal = '', evaluation: recorded } = await record(version);
      expect((await readSeal(seal, key)).evaluation).toEqual(recorded);
    }
    expect((await record(1)).evaluation).toEqual(evaluation);
    expect(await record(2)).not.toHaveProperty('evaluation');
  });

  test('goes on where an earlier step gave up', async () => {
    await sealVersions(federation.ports, task, 1);
    expect(await verify()).toEqual([
      '',
      '',
      expect.stringContaining('not sealed'),
      expect.stringContaining('not sealed'),
    ]);
    await sealVersions(federation.ports, task, 3);
    expect(await verify()).toEqual(['', '', '', '']);
  });
});

describe('verifying finds', () => {
  beforeEach(() => sealVersions(federation.ports, task, 3));

  const put = (changed: VersionRecord) => federation.rounds.replaceVersion(task, changed);

  test('one changed bit of a model', async () => {
    const bytes = federation.models.objects.get((await record(2)).model.key);
    if (bytes) bytes[bytes.length - 1] ^= 1;
    expect(await verify()).toEqual(['', '', expect.stringMatching(/stored model has SHA-256/), '']);
  });

  test('a changed manifest', async () => {
    const { manifestKey = '' } = await record(1);
    federation.models.objects.set(manifestKey, new TextEncoder().encode('{}'));
    expect(await verify()).toEqual(['', expect.stringMatching(/stored manifest has SHA-256/), '', '']);
  });

  test.each([
    ['examples', { examples: 99 }],
    ['updates', { updates: 2 }],
    ['publishedAtMs', { publishedAtMs: 1 }],
    ['evaluation', { evaluation: { loss: 0, accuracy: 1, examples: 5 } }],
    ['origin', { origin: { kind: 'rollback' as const, to: 0 } }],
  ])('a record with another %s', async (name, change) => {
    put({ ...(await record(1)), ...change });
    expect(await verify()).toEqual(['', expect.stringMatching(`the record says ${name}`), '', '']);
  });

  test('a version in the place of another', async () => {
    const [first, second] = [await record(1), await record(2)];
    put({ ...second, seal: first.seal, model: first.model, manifestKey: first.manifestKey });
    const [, , third, fourth] = await verify();
    expect(third).toMatch(/the record says version 2, sealed was 1/);
    expect(fourth).toMatch(/does not follow/);
  });

  test('a seal by another key, or with no valid signature', async () => {
    const other = new MemorySealer();
    const honest = await readSeal((await record(2)).seal ?? '', await federation.ports.sealer.publicKey());
    const input = signingInput({ ...honest, examples: 99 });
    put({ ...(await record(2)), examples: 99, seal: sealOf(input, await other.sign(new TextEncoder().encode(input))) });
    const [, , third, fourth] = await verify();
    expect(third).toMatch(/not signed with the federation key/);
    expect(fourth).toMatch(/does not follow/);
    put({ ...(await record(2)), seal: 'nonsense' });
    expect((await verify())[2]).toMatch(/not signed/);
  });

  test('a removed seal', async () => {
    const { seal: _, ...unsealed } = await record(3);
    put(unsealed);
    expect(await verify()).toEqual(['', '', '', expect.stringMatching(/is not sealed/)]);
  });

  test('everything, if the federation answers with a key that is not the one that was kept', async () => {
    for (const problems of await verify(await new MemorySealer().publicKey())) expect(problems).toMatch(/not signed/);
  });
});
