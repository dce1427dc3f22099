import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { createGuard, type LocalGuard } from '../../local/cloud/iam/guard.ts';
import type { Meter } from '../../local/cloud/service.ts';
import type { UsageKind } from '../../shared/core/cost/prices.ts';

/** Another endpoint to run the same contracts against, such as moto_server; tests of our own promises are skipped there. */
export const foreignEndpoint = process.env.TRIBUTARY_CONTRACT_ENDPOINT;

const {
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: sessionToken,
} = process.env;

/** Another endpoint gets the keys of the environment, which is what a real account wants. */
export const administrator: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } =
  foreignEndpoint && accessKeyId && secretAccessKey
    ? { accessKeyId, secretAccessKey, sessionToken }
    : { accessKeyId: 'AKIATEST', secretAccessKey: 'test-secret' };

/** What every SDK client of the contracts is made with. */
export function clientConfig(endpoint: string, credentials = administrator) {
  return { endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
}

/** A guard with an administrator and, where given, one role with policies. */
export function guardWith(...principals: Parameters<typeof createGuard>[0]['principals'][number][]): LocalGuard {
  return createGuard({
    principals: [{ ...administrator, name: 'contract test', policies: [], administrator: true }, ...principals],
  });
}

/** A meter that remembers. */
export function countingMeter(): Meter & { readonly counts: Partial<Record<UsageKind, number>> } {
  const counts: Partial<Record<UsageKind, number>> = {};
  return {
    counts,
    count(kind, amount = 1) {
      counts[kind] = (counts[kind] ?? 0) + amount;
    },
  };
}

export const queueArn = (name: string) => `arn:aws:sqs:us-east-1:000000000000:${name}`;

/** A queue as the template would have it. */
export const queueNamed = (name: string, properties: object = {}) => ({ name, arn: queueArn(name), properties });

export async function temporaryDirectory(): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'tributary-contract-'));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** Runs what must fail and gives the error. */
export async function failure(attempt: Promise<unknown>): Promise<Error> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it did not fail');
}

/** A local service in a process of its own, so that it can be killed. */
export interface ServiceProcess {
  readonly url: string;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** @param start an expression of type Promise<LocalService> over `guard`, `meter` and the exports of `module` */
export async function startProcess(module: string, start: string): Promise<ServiceProcess> {
  const script = `
    const { createGuard } = await import(${quoted('../../local/cloud/iam/guard.ts')});
    const service = await import(${quoted(module)});
    const guard = createGuard({ principals: [${JSON.stringify({ ...administrator, name: 'contract test', policies: [], administrator: true })}] });
    const meter = { count() {} };
    const { url } = await (${start});
    console.log(url);`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await Promise.race([firstLine(child), once(child, 'exit').then(([code]) => fail(`exit code ${code}`))]);
  return {
    url,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function quoted(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the child has no stdout');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return String(line);
}

function fail(why: string): never {
  throw new Error(`the service process ended before it listened: ${why}`);
}

/**
 * Signs `body` as the SDK would and posts it, or posts `sent` in its place: what an SDK client refuses to do.
 * @returns the status and the error's name and message
 */
export async function postSigned(call: {
  readonly url: string;
  readonly service: 'dynamodb' | 'sqs';
  readonly target: string;
  readonly body: string;
  readonly sent?: string;
}): Promise<{ status: number; name: string; message: string }> {
  const { hostname, host } = new URL(call.url);
  const signer = new SignatureV4({
    service: call.service,
    region: 'us-east-1',
    credentials: administrator,
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname,
    path: '/',
    headers: { host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': call.target },
    body: call.body,
  });
  const response = await fetch(call.url, { method: 'POST', headers, body: call.sent ?? call.body });
  const { __type = '', message = '' } = JSON.parse(await response.text());
  return { status: response.status, name: String(__type).split('#').at(-1) ?? '', message };
}
