import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLambda, type LambdaOptions, type LambdaService } from '../../../local/cloud/lambda/lambda-service.ts';
import { variablesOf } from '../../../local/cloud/lambda/variables.ts';
import type { FunctionPlan } from '../../../local/cloud/template/plan.ts';

const arn = 'arn:aws:lambda:us-east-1:000000000000:function:probe';
const endpoints = {
  s3: 'http://s3',
  sqs: 'http://sqs',
  dynamodb: 'http://dynamodb',
  states: 'http://states',
  kms: 'http://kms',
};
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Probe {
  readonly lambda: LambdaService;
  readonly lines: string[];
  readonly counted: [string, number][];
  readonly unknown: string[];
}

async function start(
  source: string,
  overrides: Partial<FunctionPlan> & { readonly file?: string; readonly concurrency?: number } = {},
): Promise<Probe> {
  const { file = 'index.mjs', concurrency = 2, ...rest } = overrides;
  const folder = mkdtempSync(join(tmpdir(), 'lambda-'));
  ends.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, file), source);
  const plan: FunctionPlan = {
    logicalId: 'Probe',
    name: 'probe',
    arn,
    roleArn: 'arn:aws:iam::000000000000:role/probe',
    folder,
    handler: 'index.handler',
    environment: { GREETING: 'hello' },
    timeoutSeconds: 20,
    memoryMb: 512,
    architecture: 'arm64',
    ...rest,
  };
  const lines: string[] = [];
  const counted: [string, number][] = [];
  const unknown: string[] = [];
  const options: LambdaOptions = {
    functions: [plan],
    concurrency,
    meter: { count: (kind, amount = 1) => counted.push([kind, amount]) },
    variables: (fn) => variablesOf(fn, { accessKeyId: 'KEY', secretAccessKey: 'SECRET' }, endpoints),
    line: (_plan, text) => lines.push(text),
    unknownService: (_plan, description) => unknown.push(description),
  };
  const lambda = await createLambda(options);
  ends.push(() => lambda.close());
  return { lambda, lines, counted, unknown };
}

describe('a function', () => {
  test('gets the event and answers with what its handler returns', async () => {
    const { lambda } = await start('export const handler = async ({ a, b }) => ({ sum: a + b });');
    expect(await lambda.invoke(arn, { a: 2, b: 3 })).toEqual({ payload: { sum: 5 } });
  });

  test('may be CommonJS, and a handler that returns nothing answers null', async () => {
    const { lambda } = await start('exports.handler = async () => {};', { file: 'index.cjs' });
    expect(await lambda.invoke(arn, {})).toEqual({ payload: null });
  });

  test('is invoked through a version of its ARN too', async () => {
    const { lambda } = await start('export const handler = async () => 1;');
    expect(await lambda.invoke(`${arn}:$LATEST`, {})).toEqual({ payload: 1 });
    await expect(lambda.invoke(`${arn}-other`, {})).rejects.toThrow('no function has the ARN');
  });

  test('sees the variables of the template and of Lambda, and nothing of the host', async () => {
    vi.stubEnv('HOST_SECRET', 'mine');
    const { lambda } = await start('export const handler = async () => process.env;');
    vi.unstubAllEnvs();
    const result = await lambda.invoke(arn, {});
    expect(result).toMatchObject({
      payload: {
        GREETING: 'hello',
        AWS_LAMBDA_FUNCTION_NAME: 'probe',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'KEY',
        AWS_SECRET_ACCESS_KEY: 'SECRET',
        AWS_ENDPOINT_URL_S3: 'http://s3',
        AWS_ENDPOINT_URL_SFN: 'http://states',
      },
    });
    expect(result).not.toHaveProperty('payload.HOST_SECRET');
  });

  test('knows its request, its ARN and the time it has left', async () => {
    const { lambda } = await start(
      'export const handler = async (_event, c) => [c.awsRequestId, c.invokedFunctionArn, c.getRemainingTimeInMillis()];',
    );
    const result = await lambda.invoke(arn, {});
    expect(result).toEqual({ payload: [expect.stringMatching(/^[\da-f-]{36}$/), arn, expect.any(Number)] });
    if (!('payload' in result) || !Array.isArray(result.payload)) throw new Error('no list');
    expect(result.payload[2]).toBeGreaterThan(0);
    expect(result.payload[2]).toBeLessThanOrEqual(20_000);
  });

  test('keeps its process from one invocation to the next', async () => {
    const { lambda } = await start('let n = 0; export const handler = async () => [process.pid, ++n];');
    const first = await lambda.invoke(arn, {});
    const [{ environments }] = lambda.running();
    expect(first).toEqual({ payload: [environments[0].pid, 1] });
    expect(await lambda.invoke(arn, {})).toEqual({ payload: [environments[0].pid, 2] });
  });

  test('runs in at most as many processes as allowed, and every invocation is answered', async () => {
    const { lambda } = await start('export const handler = async (n) => ({ n, pid: process.pid });');
    const results = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((n) => lambda.invoke(arn, n)));
    const payloads = results.map((result) => ('payload' in result ? result.payload : undefined));
    expect(payloads).toMatchObject([0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({ n })));
    expect(lambda.running()[0].environments.length).toBeLessThanOrEqual(2);
    expect(lambda.inFlight()).toBe(0);
  });

  test('is billed in whole milliseconds times its memory, under its architecture', async () => {
    const { lambda, counted } = await start('export const handler = async () => 1;', { architecture: 'x86_64' });
    await lambda.invoke(arn, {});
    expect(counted).toContainEqual(['lambda.requests', 1]);
    const billed = counted.filter(([kind]) => kind === 'lambda.x86GbSeconds');
    expect(billed).toHaveLength(2); // the init phase and the invocation
    // 512 MB is half a GB: gigabyte-seconds times 2,000 are milliseconds.
    for (const [, amount] of billed) expect(amount * 2000).toBeCloseTo(Math.round(amount * 2000), 6);
  });

  test('has logged all its lines by the time it answers', async () => {
    const { lambda, lines } = await start(
      'export const handler = async () => { for (let i = 0; i < 500; i++) console.log("line " + i); process.stdout.write("no newline"); };',
    );
    await lambda.invoke(arn, {});
    expect(lines.filter((line) => line.startsWith('line '))).toHaveLength(500);
    expect(lines).toContain('no newline');
  });
});

describe('a failing function', () => {
  test('reports the name and message of what its handler throws', async () => {
    const { lambda } = await start(
      'export const handler = async () => { throw Object.assign(new Error("gone"), { name: "StaleVersion" }); };',
    );
    expect(await lambda.invoke(arn, {})).toMatchObject({
      functionError: { errorType: 'StaleVersion', errorMessage: 'gone', trace: expect.any(Array) },
    });
  });

  test('is killed at its timeout, and the next invocation gets a new process', async () => {
    const { lambda } = await start(
      'export const handler = async (hang) => hang ? new Promise(() => setInterval(() => {}, 1000)) : process.pid;',
      { timeoutSeconds: 1 },
    );
    const before = await lambda.invoke(arn, false);
    expect(await lambda.invoke(arn, true)).toMatchObject({
      functionError: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringContaining('timed out after 1.00 seconds'),
      },
    });
    const after = await lambda.invoke(arn, false);
    expect(after).toEqual({ payload: expect.any(Number) });
    expect(after).not.toEqual(before);
  });

  test('cannot outlive its timeout by never letting go of the processor', async () => {
    const { lambda } = await start('export const handler = async () => { while (true); };', { timeoutSeconds: 1 });
    expect(await lambda.invoke(arn, {})).toMatchObject({ functionError: { errorType: 'Sandbox.Timedout' } });
  });

  test('killed with SIGKILL in the middle ends as Runtime.ExitError', async () => {
    const { lambda, lines } = await start(
      'export const handler = async () => { console.log("begun"); await new Promise((done) => setTimeout(done, 15_000)); };',
    );
    const result = lambda.invoke(arn, {});
    await vi.waitFor(() => expect(lines).toContain('begun'), { timeout: 10_000 });
    process.kill(lambda.running()[0].environments[0].pid, 'SIGKILL');
    expect(await result).toMatchObject({
      functionError: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('signal: killed') },
    });
  });

  test('that exits by itself ends as Runtime.ExitError', async () => {
    const { lambda } = await start('export const handler = async () => process.exit(3);');
    expect(await lambda.invoke(arn, {})).toMatchObject({
      functionError: { errorType: 'Runtime.ExitError', errorMessage: expect.stringContaining('exit status 3') },
    });
  });

  test('out of memory dies alone', async () => {
    const { lambda } = await start(
      'export const handler = async (n) => { if (!n) return 1; const all = []; while (true) all.push(new Array(1e5).fill({}).map(() => ({}))); };',
      { memoryMb: 128 },
    );
    expect(await lambda.invoke(arn, 1)).toMatchObject({ functionError: { errorType: 'Runtime.ExitError' } });
    expect(await lambda.invoke(arn, 0)).toEqual({ payload: 1 });
  }, 20_000);

  test.for([
    ['an import that is not there', 'import "nowhere"; export const handler = 1;', 'Runtime.ImportModuleError'],
    ['a syntax error', 'export const handler = async () => {', 'Runtime.UserCodeSyntaxError'],
    ['another export', 'export const other = async () => {};', 'Runtime.HandlerNotFound'],
    ['a throw while it loads', 'throw new RangeError("config");', 'RangeError'],
    ['an exit while it loads', 'process.exit(9);', 'Runtime.ExitError'],
  ])('whose bundle has %s fails each invocation with its reason', async ([, source, errorType]) => {
    const { lambda } = await start(source);
    expect(await lambda.invoke(arn, {})).toMatchObject({ functionError: { errorType } });
    expect(await lambda.invoke(arn, {})).toMatchObject({ functionError: { errorType } });
  });

  test('with an unhandled rejection fails the invocation', async () => {
    const { lambda } = await start(
      'export const handler = async () => { Promise.reject(new Error("lost")); await new Promise((done) => setTimeout(done, 5000)); };',
    );
    expect(await lambda.invoke(arn, {})).toMatchObject({
      functionError: { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: 'lost' },
    });
  });

  test('may answer 6 MB and not more', async () => {
    const { lambda } = await start('export const handler = async (n) => "x".repeat(n);');
    expect(await lambda.invoke(arn, 6_000_000)).toHaveProperty('payload.length', 6_000_000);
    expect(await lambda.invoke(arn, 6_300_000)).toMatchObject({
      functionError: { errorType: 'Function.ResponseSizeTooLarge' },
    });
    expect(await lambda.invoke(arn, 'x'.repeat(6_300_000))).toMatchObject({
      functionError: { errorType: 'RequestEntityTooLarge' },
    });
  });

  test('is told so when it calls a service that does not run here', async () => {
    const { lambda, unknown } = await start(
      'export const handler = async () => (await fetch(process.env.AWS_ENDPOINT_URL, { method: "POST", headers: { "x-amz-target": "Kms.Encrypt" } })).status;',
    );
    expect(await lambda.invoke(arn, {})).toEqual({ payload: 400 });
    expect(unknown).toEqual([expect.stringContaining('Kms.Encrypt')]);
  });
});

test('closing ends invocations that run and processes that wait', async () => {
  const { lambda, lines } = await start(
    'export const handler = async () => { console.log("begun"); await new Promise((done) => setTimeout(done, 15_000)); };',
    { concurrency: 1 },
  );
  const results = [lambda.invoke(arn, 1), lambda.invoke(arn, 2)];
  await vi.waitFor(() => expect(lines).toContain('begun'), { timeout: 10_000 });
  await lambda.close();
  for (const result of results)
    expect(await result).toMatchObject({ functionError: { errorType: 'Runtime.ExitError' } });
});
