import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { expect } from 'vitest';
import { type CloudFile, cloudFile, stateFolder } from '../../local/cli/endpoint.ts';
import type { RunningFederation } from './small-federation.ts';

const tributary = join(import.meta.dirname, '..', '..', 'local', 'cli', 'tributary.mjs');

/** Runs a program to its end with this on its standard input. @returns what it said */
export async function pipe(
  command: string,
  args: readonly string[],
  cwd: string,
  input: string,
  env = {},
): Promise<string> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  child.stdin.end(input);
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  expect(status, said).toBe(0);
  return said;
}

/**
 * A shell in a folder in which `npx tributary` is this checkout's, and speaks to this federation.
 * @param given further commands, as shell scripts, and what is in the environment
 */
export function shellIn(
  cwd: string,
  { cloud, endpoint }: RunningFederation,
  {
    commands = {},
    env = {},
  }: { commands?: Readonly<Record<string, string>>; env?: Readonly<Record<string, string>> } = {},
): (script: string) => Promise<string> {
  const bin = join(cwd, 'bin');
  for (const made of [bin, join(cwd, stateFolder)]) mkdirSync(made);
  const { credentials } = cloud;
  const file: CloudFile = { endpoint, region: credentials.region, credentials, pid: process.pid };
  writeFileSync(join(cwd, cloudFile), JSON.stringify(file));
  const scripts = { npx: `shift; exec '${process.execPath}' '${tributary}' "$@"`, ...commands };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const path = `${bin}:${process.env.PATH}`;
  return (script) => pipe('bash', ['-euo', 'pipefail'], cwd, script, { ...env, PATH: path });
}
