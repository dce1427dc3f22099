import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findPython, withoutPython } from './find-python.ts';
import { writeGraphs } from './python-graphs.ts';

/** The Python client's own tests, with the training packages that they compare themselves with. */

const run = promisify(execFile);
const needed = ['numpy', 'cryptography', 'onnxruntime', 'pytest'];
const python = await findPython(...needed);

test("the Python client's suite passes", { timeout: 600_000 }, async (context) => {
  if (!python) return context.skip(withoutPython(...needed));
  const folder = mkdtempSync(join(tmpdir(), 'tributary-graphs-'));
  try {
    await writeGraphs(folder);
    const suite = join(import.meta.dirname, '..', '..', 'client', 'python');
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--color=no'];
    const env = { ...process.env, TRIBUTARY_GRAPHS: folder, PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout } = await run(python.command, args, { cwd: suite, env, maxBuffer: 64 * 1024 * 1024 }).catch(
      (error: { stdout?: string; stderr?: string }) => ({ stdout: `${error.stdout}${error.stderr}` }),
    );
    expect(stdout).toMatch(/\d+ passed/);
    expect(stdout).not.toMatch(/\d+ (?:failed|error)/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
