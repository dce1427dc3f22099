import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Python {
  readonly command: string;
  /** Of the modules that were asked for, in their order. */
  readonly versions: readonly string[];
}

/** The first Python that has these modules: `PYTHON` of the environment, or `python3`. */
export async function findPython(...modules: readonly string[]): Promise<Python | undefined> {
  const script = `import ${modules.join(', ')}\nprint(${modules.map((name) => `${name}.__version__`).join(', ')})`;
  for (const command of [process.env.PYTHON, 'python3']) {
    if (!command) continue;
    const versions = await run(command, ['-c', script], { timeout: 120_000 }).then(
      ({ stdout }) => stdout.trim().split(' '),
      () => undefined,
    );
    if (versions) return { command, versions };
  }
  return undefined;
}

/** Why a test that wants these modules is skipped. */
export function withoutPython(...modules: readonly string[]): string {
  return `no Python with ${modules.join(', ')}: set PYTHON, or pip install ${modules.join(' ')}`;
}
