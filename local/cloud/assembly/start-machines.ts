import { createStates, type LocalStates } from '../states/create-states.ts';
import type { Ground } from './ground.ts';
import type { LocalUrls } from './local-urls.ts';
import { createObjectReader } from './read-object.ts';
import type { Functions } from './start-functions.ts';

/** Starts the state machines; executions of a former process go on once the cloud is up. */
export async function startMachines(
  ground: Ground,
  functions: Functions,
  urls: LocalUrls,
  s3Url: string,
): Promise<LocalStates> {
  const { plan, guard, meter, principals, ready } = ground;
  const objects = createObjectReader(s3Url);
  ground.onClose(() => objects.close());
  const machines = plan.machines.map(({ definition, roleArn, ...machine }) => ({
    ...machine,
    definition: urls.json(definition),
    roleAccessKeyId: principals.credentialsOf(roleArn).accessKeyId,
  }));
  return ground.start('states', (port) =>
    createStates({
      dir: ground.path('states'),
      port,
      guard,
      meter,
      machines,
      invoke: functions.invokeWhenReady,
      readObject: (bucket, key, accessKeyId) => objects.read(bucket, key, principals.holderOf(accessKeyId)),
      // A start that fails never resumes anything.
      resumeWhen: ready.catch(() => new Promise<void>(() => {})),
    }),
  );
}
