import { account } from './account.ts';
import { Invocation } from './invocation.ts';
import { sizes } from './sizes.ts';
import { Pool } from './stations.ts';
import type { World } from './world.ts';

const { s3, lambda, client, cpu } = account;

/** As infra/function-specs.ts has them. */
const memoryMb = { authorizeClient: 512, issueTicket: 512, openUpload: 512, admitUpdate: 1_024 };
/** selection.concurrency at its most. */
const mostOpenTickets = 100_000;
/** Of one update: S3's event is sent, and received and deleted in batches of ten. */
const queueRequests = 1.2;

/**
 * Fills the buffer with `count` updates of `bytes` each: every client is there from the start, trains in no time and is
 * never refused. The calls are those of authorize, issueTicket (asynchronous mode), openUpload and admitUpdate, in their order.
 * @returns when the last one is admitted, in seconds
 */
export function collect(world: World, { count, bytes }: { readonly count: number; readonly bytes: number }): number {
  const { events, keys } = world;
  const tickets = new Pool('open tickets', Math.min(count, mostOpenTickets));
  const transferSeconds = bytes / client.bytesPerSecond;
  let admitted = 0;
  let lastAdmitted = 0;

  /** The client's record is read, its nonce and its count of requests are written. */
  const authorize = (next: () => void) => {
    const call = new Invocation(world).get().write().write();
    call.bill(memoryMb.authorizeClient);
    events.at(call.time, next);
  };
  const afterApi = (next: () => void) => {
    world.bill('http.requests', 1);
    events.at(world.api.take(events.now), () => authorize(next));
  };
  const issue = () => {
    const call = new Invocation(world).task();
    call.transact(3, [keys.openWrites], { counts: true }).bill(memoryMb.issueTicket);
    events.at(call.time + transferSeconds, () => afterApi(openUpload));
  };
  const openUpload = () => {
    const call = new Invocation(world).get().task().transact(2, [keys.openWrites]);
    call.bill(memoryMb.openUpload);
    world.bill('s3.putRequests', 1);
    events.at(world.puts.take(call.time) + transferSeconds, () => {
      world.bill('sqs.requests', queueRequests);
      world.admissions.acquire(admit);
    });
  };
  const admit = () => {
    const call = new Invocation(world).get().task().wait(world.gets);
    world.bill('s3.getRequests', 1);
    call.work(s3.requestSeconds + checkSeconds(bytes));
    call.transact(4, [keys.openWrites, keys.bufferWrites], { counts: true });
    events.at(call.time, () => {
      admitted++;
      lastAdmitted = events.now;
      tickets.release();
    });
    call.task();
    // startRoundIfReady: how many updates were ever admitted; a process reads the buffer once, and once it may be full.
    call.get(keys.countsReads);
    if (admitted === 0 || admitted + 1 === count) call.query(keys.bufferReads, (admitted + 1) * sizes.bufferEntry);
    call.bill(memoryMb.admitUpdate);
    events.at(call.time, () => world.admissions.release(call.worked));
  };
  for (let i = 0; i < count; i++) tickets.acquire(() => afterApi(issue));
  events.run();
  return lastAdmitted;
}

/** Reading and checking one update; the burst of a function that admits many is spent. */
function checkSeconds(bytes: number): number {
  const vcpus = memoryMb.admitUpdate / lambda.mbPerVcpu;
  return bytes / Math.min(lambda.steadyBytesPerSecond, cpu.admitBytesPerSecond * vcpus);
}
