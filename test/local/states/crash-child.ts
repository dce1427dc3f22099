import { appendFileSync } from 'node:fs';
import { createStates } from '../../../local/cloud/states/create-states.ts';
import { functionArn, machine, machineArn, task } from './stage.ts';

/** Runs the local Step Functions in a process that a test kills: `node crash-child.ts DIR CALLS block|answer`. */
const [dir, callsFile, mode] = process.argv.slice(2);

const states = await createStates({
  dir,
  guard: { secretOf: () => 'secret', authorize: () => {} },
  meter: { count: () => {} },
  machines: [
    {
      name: 'round',
      arn: machineArn,
      type: 'STANDARD',
      definition: machine({
        Freeze: task('freeze', { Assign: { frozen: '{% $states.result.Payload %}' }, Next: 'Publish' }),
        Publish: task('publish', { Output: ['{% $frozen %}', '{% $states.result.Payload %}'], End: true }),
      }),
      roleAccessKeyId: 'ROUNDROLE',
    },
  ],
  async invoke(arn) {
    appendFileSync(callsFile, `${arn.slice(functionArn('').length)}\n`);
    if (arn.endsWith('publish') && mode === 'block') await new Promise(() => {});
    return { payload: arn.slice(functionArn('').length) };
  },
  readObject: () => Promise.reject(new Error('no objects')),
});
process.stdout.write(`${states.url}\n`);
