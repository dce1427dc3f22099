import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { runHere } from '../local/cli/recording-console.ts';

/** What must be in no log: the leave of a ticket, whoever reads it has it. */
const secrets: Readonly<Record<string, RegExp>> = {
  'a presigned URL': /X-Amz-Signature|X-Amz-Credential/i,
  'a proof or a statement': /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/,
  'a private key': /"d"\s*:\s*"[A-Za-z0-9_-]{43}"/,
};

const home = process.cwd();
beforeEach(() => process.chdir(mkdtempSync(join(tmpdir(), 'tributary-secrets-'))));
afterEach(() => process.chdir(home));

const cloudSchema = z.object({ endpoint: z.string() });
const keyFileSchema = z.object({ endpoint: z.string(), client: z.string(), privateKey: z.object({ d: z.string() }) });
const invitationsSchema = z.array(z.object({ code: z.string() }));

/** Runs `start --keep` in this folder, as a person would. */
function startKept(...args: string[]) {
  const bin = join(home, 'local', 'cli', 'tributary.mjs');
  const child = spawn(process.execPath, [bin, 'start', '--keep', ...args], { env: { ...process.env, NO_COLOR: '1' } });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    printed.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    printed.err += chunk;
  });
  const ended = once(child, 'close');
  return {
    says: async (text: string) => {
      const told = expect.poll(() => printed.err, { timeout: 280_000, interval: 100 }).toContain(text);
      const died = ended.then(() => Promise.reject(new Error(printed.err)));
      await Promise.race([told, died]);
    },
    end: async () => {
      child.kill('SIGINT');
      await ended;
      return printed;
    },
  };
}

/** Everything that the local cloud and its functions wrote to read. */
function logs(): { path: string; text: string }[] {
  return globSync('.tributary/kept/state/logs/*.log').map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

test('a fleet enrols, signs and trains, operators and clients come and go, and no log holds a secret', async () => {
  const fleet = startKept('--rounds', '2', '--buffer', '5', '--clients', '6', '--task', 'quiet');
  await fleet.says('Ctrl-C ends it');

  const here = async (...args: string[]) => {
    const ended = await runHere(args);
    expect(`${args.slice(0, 2).join(' ')}: ${ended.code} ${ended.err}`).toContain(': 0 ');
    return ended;
  };
  const endpoint = cloudSchema.parse(JSON.parse(readFileSync('.tributary/cloud.json', 'utf8'))).endpoint;
  // The fleet came through the same door as anyone.
  const listed = JSON.parse((await here('client', 'list', '--json')).out);
  expect(listed).toHaveLength(6);
  expect(globSync('.tributary/kept/keys/*.json')).toHaveLength(6);

  const [{ code }] = invitationsSchema.parse(JSON.parse((await here('client', 'invite', 'north', '--json')).out));
  const enrol = ['client', 'enrol', '--code', code, '--client', 'north', '--out'];
  const said = [await here(...enrol, 'north.json'), await here('client', 'issue', 'south', 'east', '--out', 'keys')];
  expect((await runHere([...enrol, 'again.json'])).err).toContain('invitation-used');
  expect(statSync('north.json').mode & 0o777).toBe(0o600);
  const before = keyFileSchema.parse(JSON.parse(readFileSync('north.json', 'utf8')));
  expect(before).toMatchObject({ endpoint, client: 'north' });
  said.push(await here('client', 'rotate', '--key', 'north.json'));
  const after = keyFileSchema.parse(JSON.parse(readFileSync('north.json', 'utf8')));
  expect(after.privateKey.d).not.toBe(before.privateKey.d);

  said.push(await here('client', 'show', 'north'), await here('client', 'revoke', 'south', '--reason', 'left'));
  const south = ['client', 'run', '--key', 'keys/south.json', '--task', 'quiet', '--dataset', 'synthetic'];
  const refused = await runHere(south);
  expect(refused.err).toContain('identity-refused');
  expect((await runHere(south.map((word) => word.replace('south', 'east')))).out).toContain('task ended');

  const printedByFleet = await fleet.end();
  const written = logs();
  expect(written.map(({ path }) => path).some((path) => path.includes('authorize-client'))).toBe(true);
  expect(written.length).toBeGreaterThan(8);
  const keyFiles = globSync(['.tributary/kept/keys/*.json', 'keys/*.json', 'north.json']).map((path) =>
    keyFileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))),
  );
  expect(keyFiles).toHaveLength(9);
  const known = [code, before.privateKey.d, ...keyFiles.map(({ privateKey }) => privateKey.d)];
  const printed = [...said, refused, printedByFleet].map((ended) => ({
    path: 'printed',
    text: `${ended.out}\n${ended.err}`,
  }));
  for (const { path, text } of [...written, ...printed]) {
    for (const [what, pattern] of Object.entries(secrets)) {
      expect(pattern.exec(text)?.[0], `${what} in ${path}`).toBeUndefined();
    }
    for (const secret of known) expect(text.includes(secret), `a code or a key in ${path}`).toBe(false);
  }
});
