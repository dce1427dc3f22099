import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findPython } from '../client/find-python.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');

/** What the tests of the whole client want: setuptools to install it, PyTorch to train beside onnxruntime, onnx to export from PyTorch. */
export const neededModules = ['setuptools', 'numpy', 'cryptography', 'onnxruntime', 'torch', 'onnx'] as const;

/** A Python that has the client installed, as pip installs it. */
export interface InstalledClient {
  /** Runs Python in a folder. @returns what it printed */
  python(cwd: string, ...args: readonly string[]): Promise<string>;
  readonly command: string;
  /** What a shell must have in its environment to find the client. */
  readonly env: Readonly<Record<string, string>>;
  remove(): void;
}

/** Undefined where there is no Python with what the client needs. */
export async function installPythonClient(): Promise<InstalledClient | undefined> {
  const found = await findPython(...neededModules);
  if (!found) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'tributary-python-'));
  // A copy: setuptools writes beside the sources that it builds.
  cpSync(join(root, 'client', 'python'), join(folder, 'source'), { recursive: true });
  const target = join(folder, 'installed');
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--no-build-isolation',
    '--no-index',
    '--target',
    target,
  ];
  await run(found.command, [...pip, join(folder, 'source')]);
  // Flower is not on every machine: its documented interface stands in, and comes last.
  const standIn = join(root, 'client', 'python', 'tests', 'stand_in');
  const env = { PYTHONPATH: [target, standIn].join(':'), PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' };
  return {
    command: found.command,
    env,
    python: async (cwd, ...args) => {
      const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024, timeout: 280_000 };
      return (await run(found.command, args, options)).stdout;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
