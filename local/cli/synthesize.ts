import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlError } from '../../shared/core/errors.ts';

/** The repository, where cdk.json and infra/ are. */
export const projectFolder = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Output lines of a failed synthesis that are worth showing. */
const shownLines = 20;

/**
 * Synthesizes the stack as `cdk deploy` would, by running its app.
 * @param assembly folder for the cloud assembly
 * @throws {FlError} `synth-failed` with the app's last words
 */
export async function synthesize(assembly: string, signal?: AbortSignal): Promise<void> {
  const app = join(projectFolder, 'infra', 'app.ts');
  if (!existsSync(app)) throw new FlError('synth-failed', `there is no ${app}`);
  await mkdir(assembly, { recursive: true });
  const { code, output } = await runQuietly(process.execPath, [app], {
    cwd: projectFolder,
    env: { ...process.env, CDK_OUTDIR: assembly, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    signal,
  });
  if (code !== 0) {
    const last = output.trimEnd().split('\n').slice(-shownLines).join('\n');
    throw new FlError('synth-failed', `the CDK app ended with exit code ${code}:\n${last}`);
  }
}

function runQuietly(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly signal?: AbortSignal },
): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

/** Runs the CDK's own command in the project with this terminal. @returns its exit code */
export function runCdk(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const cdk = join(projectFolder, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  if (!existsSync(cdk)) throw new FlError('cdk-missing', 'aws-cdk is not installed: run npm ci');
  // cdk.json names its app by "node": the one that runs this must come first.
  const path = `${dirname(process.execPath)}${delimiter}${env.PATH ?? ''}`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cdk, ...args], {
      cwd: projectFolder,
      env: { ...env, PATH: path, CDK_DISABLE_CLI_TELEMETRY: 'true' },
      stdio: 'inherit',
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
