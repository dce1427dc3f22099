import { createS3 } from '../../../local/cloud/s3/server.ts';
import { key } from './key.ts';

/** A gateway in a process of its own, to be killed. Its queue never takes an event. Prints its URL. */
const [dir] = process.argv.slice(2);
const service = await createS3({
  dir,
  guard: { secretOf: () => key.secretAccessKey, authorize: () => {} },
  meter: { count: () => {} },
  buckets: [{ name: 'bbb', notifications: [{ queueArn: 'arn:queue', events: ['s3:ObjectCreated:*'] }] }],
  notify: () => new Promise(() => {}),
});
process.stdout.write(`${service.url}\n`);
