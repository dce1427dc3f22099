import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part of a template that tests look at. */
export interface Template {
  readonly Resources: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>
  >;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

export interface Synthesis {
  readonly status: number | null;
  readonly output: string;
  readonly dir: string;
  template(): Template;
}

/** Runs the CDK app as `cdk synth` does, off-line. @param context as with `-c name=value` */
export function synthesize(context: Readonly<Record<string, string>> = {}): Synthesis {
  const dir = mkdtempSync(join(tmpdir(), 'tributary-synth-'));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['infra/app.ts'], {
    cwd: join(import.meta.dirname, '..', '..'),
    env: { ...process.env, CDK_OUTDIR: dir, CDK_CONTEXT_JSON: JSON.stringify(context) },
    encoding: 'utf8',
  });
  return {
    status,
    output: stdout + stderr,
    dir,
    template: () => JSON.parse(readFileSync(join(dir, `Tributary-${context.stage ?? 'dev'}.template.json`), 'utf8')),
  };
}
