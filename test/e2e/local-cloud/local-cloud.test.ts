import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cloud, startCloud } from '../../../local/cloud/cloud.ts';
import type { MetricRecord } from '../../../local/cloud/logs/embedded-metrics.ts';
import { writeDemo } from './demo-assembly.ts';

const root = mkdtempSync(join(tmpdir(), 'cloud-'));
const assembly = join(root, 'cdk.out');
let folders = 0;
const newDir = () => join(root, `state-${folders++}`);
const open: Cloud[] = [];

beforeAll(() => writeDemo(assembly));
afterEach(async () => {
  await Promise.all(open.splice(0).map((cloud) => cloud.close()));
});
afterAll(() => rmSync(root, { recursive: true }));

async function start(dir = newDir(), log: (line: string) => void = () => {}): Promise<Cloud> {
  const cloud = await startCloud({ assembly, dir, log });
  open.push(cloud);
  return cloud;
}

const configOf = ({ credentials }: Cloud, endpoint: string) => ({
  endpoint,
  region: credentials.region,
  credentials: { ...credentials },
});

async function put(cloud: Cloud, key: string, Body: string): Promise<void> {
  const s3 = new S3Client(configOf(cloud, cloud.endpoints.s3));
  await s3.send(new PutObjectCommand({ Bucket: cloud.outputs.Bucket, Key: key, Body }));
}

async function get(cloud: Cloud, key: string): Promise<string | undefined> {
  const s3 = new S3Client(configOf(cloud, cloud.endpoints.s3));
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: cloud.outputs.Bucket, Key: key }));
  return Body?.transformToString();
}

describe('the demo', () => {
  test('runs from upload to result: API, bucket, queue, function, table, state machine', async () => {
    const lines: string[] = [];
    const cloud = await start(newDir(), (line) => lines.push(line));
    const metrics: MetricRecord[] = [];
    cloud.onMetrics((record) => metrics.push(record));

    const ticket = await fetch(`${cloud.outputs.ApiUrl}/uploads/a.txt`, { method: 'POST' });
    const { url, api } = await ticket.json();
    expect(api).toBe(cloud.outputs.ApiUrl);
    expect((await fetch(url, { method: 'PUT', body: 'hello' })).status).toBe(200);
    await cloud.idle();

    expect(await get(cloud, 'out/a.txt')).toBe('HELLO');
    const dynamodb = new DynamoDBClient(configOf(cloud, cloud.endpoints.dynamodb));
    const { Item } = await dynamodb.send(
      new GetItemCommand({ TableName: cloud.outputs.Table, Key: { pk: { S: 'in/a.txt' } } }),
    );
    expect(Item).toEqual({ pk: { S: 'in/a.txt' } });
    expect(metrics).toMatchObject([
      { functionName: 'demo-arrive', namespace: 'Demo', metrics: { arrivals: { unit: 'Count', values: [1] } } },
    ]);
    expect(cloud.usage()).toMatchObject({
      'lambda.requests': 3,
      'http.requests': 1,
      'states.transitions': expect.any(Number),
    });
    expect(cloud.usage()['lambda.armGbSeconds']).toBeGreaterThan(0);
    expect(readFileSync(join(cloud.logs, 'demo-step.log'), 'utf8')).toContain('REPORT RequestId');
    expect(cloud.denials()).toEqual([]);
    expect(lines).toEqual([]);
  });

  test('names a missing grant: who, what, on which resource', async () => {
    const lines: string[] = [];
    const cloud = await start(newDir(), (line) => lines.push(line));
    await put(cloud, 'in/b.txt', 'delete');
    await cloud.idle();
    expect(cloud.denials()).toMatchObject([
      {
        principal: 'function demo-step (role Demo-StepRole)',
        action: 's3:DeleteObject',
        resource: 'arn:aws:s3:::demo-bucket/in/b.txt',
      },
    ]);
    expect(lines).toContainEqual(
      expect.stringContaining(
        'function demo-step (role Demo-StepRole) is not authorized to perform: s3:DeleteObject on resource: arn:aws:s3:::demo-bucket/in/b.txt',
      ),
    );
  });

  test('retries a step whose process was killed in the middle', async () => {
    const cloud = await start();
    const flag = join(root, 'killed-once');
    await put(cloud, 'in/c.txt', `block ${flag}`);
    await vi.waitFor(() => expect(existsSync(flag)).toBe(true), { timeout: 20_000 });
    const pids = cloud
      .functions()
      .find(({ name }) => name === 'demo-step')
      ?.environments.map(({ pid }) => pid);
    expect(pids).toHaveLength(1);
    process.kill(pids?.[0] ?? 0, 'SIGKILL');
    await cloud.idle();
    expect(await get(cloud, 'out/c.txt')).toBe(`BLOCK ${flag.toUpperCase()}`);
  });

  test('refuses a call that no permission covers', async () => {
    const lines: string[] = [];
    const cloud = await start(newDir(), (line) => lines.push(line));
    expect((await fetch(`${cloud.outputs.ApiUrl}/elsewhere/x`)).status).toBe(500);
    expect(lines).toEqual([expect.stringContaining('AWS::Lambda::Permission')]);
  });

  test('leaves a message that the function reports as failed in the queue', async () => {
    const cloud = await start();
    const answer = await fetch(`${cloud.outputs.ApiUrl}/uploads/poison`, { method: 'PUT' });
    expect(answer.status).toBe(202);
    await vi.waitFor(
      () => expect(readFileSync(join(cloud.logs, 'demo-arrive.log'), 'utf8')).toContain('REPORT RequestId'),
      { timeout: 20_000 },
    );
    const sqs = new SQSClient(configOf(cloud, cloud.endpoints.sqs));
    // It is in flight for 30 s yet; the dead-letter queue is empty until then.
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: cloud.outputs.DeadLetters }));
    expect(Messages ?? []).toEqual([]);
    const idle = cloud.idle().then(
      () => 'idle',
      () => 'closed',
    );
    await cloud.close();
    expect(await idle).toBe('closed');
  });
});

describe('a state folder', () => {
  test('keeps objects, items and URLs from one run to the next', async () => {
    const dir = newDir();
    const first = await start(dir);
    await put(first, 'in/d.txt', 'kept');
    await first.idle();
    await first.close();
    const second = await start(dir);
    expect(second.outputs).toEqual(first.outputs);
    expect(second.endpoints).toEqual(first.endpoints);
    expect(second.credentials).toEqual(first.credentials);
    expect(await get(second, 'out/d.txt')).toBe('KEPT');
  });

  test('belongs to one cloud at a time', async () => {
    const dir = newDir();
    await start(dir);
    await expect(start(dir)).rejects.toThrow(expect.objectContaining({ code: 'state-locked' }));
  });

  test('of a cloud that was killed starts again, and its processes died with it', async () => {
    const dir = newDir();
    const killed = spawn(process.execPath, [join(import.meta.dirname, 'run-demo.ts'), assembly, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: killed.stdout }), 'line');
    const { pids, outputs } = JSON.parse(line);
    expect(pids).toHaveLength(3);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    await vi.waitFor(
      () => {
        for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      },
      { timeout: 10_000 },
    );
    const cloud = await start(dir);
    expect(cloud.outputs).toEqual(outputs);
    await put(cloud, 'in/e.txt', 'again');
    await cloud.idle();
    expect(await get(cloud, 'out/e.txt')).toBe('AGAIN');
  });
});

describe('an assembly that would not work in an account is refused:', () => {
  const refused = async (change: Parameters<typeof writeDemo>[1]) => {
    const folder = join(root, `assembly-${folders++}`);
    writeDemo(folder, change);
    return startCloud({ assembly: folder, dir: newDir() });
  };

  test('a resource type that the local cloud does not know', async () => {
    await expect(
      refused((resources) => {
        resources.Key = { Type: 'AWS::Kinesis::Stream' };
      }),
    ).rejects.toThrow(/Demo\.Key: the local cloud does not know the resource type AWS::Kinesis::Stream/);
  });

  test('a bucket that may not send to its queue', async () => {
    await expect(refused((resources) => delete resources.QueuePolicy)).rejects.toThrow(
      /notifications of bucket demo-bucket: s3\.amazonaws\.com is not authorized to perform: sqs:SendMessage/,
    );
  });

  test('an event source whose function may not read the queue', async () => {
    await expect(
      refused((resources) => {
        const { Properties } = resources.StepRole;
        resources.ArriveRole = { Type: 'AWS::IAM::Role', Properties };
      }),
    ).rejects.toThrow(/event source Mapping: function demo-arrive \(role Demo-ArriveRole\) .*sqs:ReceiveMessage/);
  });
});
