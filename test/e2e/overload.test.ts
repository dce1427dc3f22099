import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openArena } from '../../bench/load/arena.ts';
import { audit } from '../../bench/load/audit.ts';
import { generate } from '../../bench/load/generate.ts';
import { type Cloud, startCloud } from '../../local/cloud/cloud.ts';
import { routes } from '../../shared/wire/routes.ts';
import { freshAssembly } from './small-federation.ts';

/** What `npm run bench -- load` measures, small: here only the states count. */

let assembly: string;
let cloud: Cloud;

beforeAll(async () => {
  assembly = await freshAssembly();
  // API Gateway lets 30 requests for a ticket through, and then one a minute: whatever the machine, the rest is turned away.
  const [path] = globSync(join(assembly, '*.template.json'));
  const template = JSON.parse(readFileSync(path, 'utf8'));
  const stages = Object.values<{ Type: string; Properties: object }>(template.Resources).filter(
    ({ Type }) => Type === 'AWS::ApiGatewayV2::Stage',
  );
  for (const { Properties } of stages) {
    const limits = { ThrottlingBurstLimit: 30, ThrottlingRateLimit: 1 / 60 };
    Object.assign(Properties, { RouteSettings: { [routes.issueTicket]: limits } });
  }
  writeFileSync(path, JSON.stringify(template));
  cloud = await startCloud({ assembly, dir: join(assembly, 'state') });
});
afterAll(async () => {
  await cloud?.close();
  rmSync(assembly, { recursive: true, force: true });
});

test('more requests than there are tickets and than the stage lets through leave every state as it should be', async () => {
  const { endpoint, clients, ...arena } = await openArena(cloud, 8);
  const [tasks, cap] = [await arena.tasks('crowded', 2, 5), 5];
  const result = await generate({ endpoint, clients, tasks, connections: 20, requests: 100 });
  await cloud.idle();

  expect(await audit({ cloud, assembly }, result, { tasks, cap })).toEqual([]);
  const codes = result.answers.map(({ status, code = 'API Gateway' }) => (status === 201 ? '201' : code));
  expect(codes.filter((code) => code === '201').length).toBeGreaterThan(0);
  expect(codes.filter((code) => code === '201').length).toBeLessThanOrEqual(tasks.length * cap);
  expect(codes.filter((code) => code === 'API Gateway').length).toBeGreaterThanOrEqual(100 - 31);
  expect(new Set(codes).size).toBeGreaterThan(2);
});
