// Runs the demo until it is killed; tells what it did as one line of JSON. For the test that kills it.
import { startCloud } from '../../../local/cloud/cloud.ts';

const [assembly, dir] = process.argv.slice(2);
const cloud = await startCloud({ assembly, dir });
cloud.warm();
const pids = cloud.functions().flatMap(({ environments }) => environments.map(({ pid }) => pid));
console.log(JSON.stringify({ pids, outputs: cloud.outputs }));
