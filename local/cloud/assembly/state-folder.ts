import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FlError } from '../../../shared/core/errors.ts';
import { isAlive } from '../process-alive.ts';

/** The folder that holds everything a local cloud knows: a killed one starts again on it. One process at a time. */
export interface StateFolder {
  /** Ports of the last run by service, so that URLs survive a restart. */
  readonly ports: Readonly<Record<string, number>>;
  /** A secret that only this folder knows and that is the same in every run. @param name what it is for */
  secretFor(name: string): string;
  rememberPorts(ports: Readonly<Record<string, number>>): void;
  path(name: string): string;
  unlock(): void;
}

const cloudSchema = z.object({ secret: z.string().min(32), ports: z.record(z.string(), z.number()) });

/** Opens and locks `dir`. @throws {FlError} `state-locked` if another process runs on it, `state-invalid` */
export function openStateFolder(dir: string): StateFolder {
  mkdirSync(dir, { recursive: true });
  const lock = join(dir, 'cloud.lock');
  takeLock(lock);
  try {
    const file = join(dir, 'cloud.json');
    const { secret, ports } = read(file) ?? { secret: randomBytes(32).toString('hex'), ports: {} };
    const write = (next: Readonly<Record<string, number>>) => {
      // Renamed into place: a kill leaves the old file or the new one.
      writeFileSync(`${file}.new`, JSON.stringify({ secret, ports: next }, null, 2), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    };
    write(ports);
    return {
      ports,
      secretFor: (name) => createHmac('sha256', secret).update(name).digest('base64').slice(0, 40),
      rememberPorts: write,
      path: (name) => join(dir, name),
      unlock: () => rmSync(lock, { force: true }),
    };
  } catch (error) {
    rmSync(lock, { force: true });
    throw error;
  }
}

function read(file: string): z.infer<typeof cloudSchema> | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return cloudSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new FlError('state-invalid', `${file} is damaged; delete the folder to start afresh`, { cause });
  }
}

/** The lock names its holder; one whose process is gone is taken over. */
function takeLock(lock: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = Number(readFileSync(lock, 'utf8'));
    if (isAlive(holder)) {
      const advice = `process ${holder} runs a local cloud on it (if it does not, delete ${lock})`;
      throw new FlError('state-locked', `the state folder is in use: ${advice}`, { retry: 'later' });
    }
    rmSync(lock, { force: true });
  }
  throw new FlError('state-locked', 'the state folder is being taken by another process', { retry: 'later' });
}
