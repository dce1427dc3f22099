import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contribute, createSmallTask, freshAssembly, startFederation } from './small-federation.ts';

interface Statement {
  Action: string | string[];
}

/** Takes one action from the role of one function, in the synthesized template. */
function revoke(assembly: string, role: string, action: string): void {
  const path = join(assembly, 'Tributary-dev.template.json');
  const template = JSON.parse(readFileSync(path, 'utf8'));
  let taken = 0;
  for (const [id, resource] of Object.entries<{
    Type: string;
    Properties: { PolicyDocument?: { Statement: Statement[] } };
  }>(template.Resources)) {
    if (resource.Type !== 'AWS::IAM::Policy' || !id.includes(role)) continue;
    const document = resource.Properties.PolicyDocument;
    if (!document) continue;
    document.Statement = document.Statement.flatMap((statement) => {
      const actions = [statement.Action].flat();
      const left = actions.filter((each) => each !== action);
      taken += actions.length - left.length;
      return left.length > 0 ? [{ ...statement, Action: left }] : [];
    });
  }
  expect(taken).toBe(1);
  writeFileSync(path, JSON.stringify(template));
}

test.each([
  ['AggregateRole', 'tributary-dev-aggregate', 's3:PutObject', /arn:aws:s3:::tributary-dev-models-.*\/tasks\/denied\//],
  ['AdmitUpdateRole', 'tributary-dev-admit-update', 'dynamodb:PutItem', /table\/tributary-dev/],
  ['AdmitUpdateRole', 'tributary-dev-admit-update', 'states:StartExecution', /stateMachine:tributary-dev-round/],
])('without a grant of %s the run names function, action and resource: %s %s', async (role, name, action, resource) => {
  const assembly = await freshAssembly();
  revoke(assembly, role, action);
  const federation = await startFederation(assembly);
  try {
    await createSmallTask(federation.api, { task: 'denied', round: { buffer: 1 } });
    await contribute(federation, 'denied', 'client', () => 0.1);
    await expect.poll(() => federation.cloud.denials().length, { timeout: 30_000 }).toBeGreaterThan(0);
    const line = federation.lines.find((each) => each.includes('is not authorized to perform')) ?? '';
    expect(line).toContain(name);
    expect(line).toContain(action);
    expect(line).toMatch(resource);
    expect((await federation.api.task('denied')).version).toBe(0);
  } finally {
    await federation.close();
  }
});
