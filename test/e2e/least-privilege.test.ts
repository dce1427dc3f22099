import { expect, test } from 'vitest';
import { revoke } from './revoke.ts';
import { contribute, createSmallTask, freshAssembly, startFederation } from './small-federation.ts';

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
