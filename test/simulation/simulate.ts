import { createPublicKey } from 'node:crypto';
import { taskConfigSchema } from '../../shared/wire/task-config.ts';
import { request } from './actors/api.ts';
import { actAsClient } from './actors/client.ts';
import { disturb, resume, startTask } from './actors/operator.ts';
import { evidenceOf } from './checker/evidence.ts';
import { findViolations } from './checker/find-violations.ts';
import { drawScenario, minute, type Scenario } from './scenario.ts';
import { Cloud, type CloudOptions } from './world/cloud.ts';
import { sealer } from './world/function-ports.ts';

const sealKey = createPublicKey({ key: { ...(await sealer.publicKey()) }, format: 'jwk' });

/** A change to the product that the checker must notice. */
export type Change = Pick<CloudOptions, 'steps' | 'ports' | 'stores'>;

export interface RunResult {
  readonly scenario: Scenario;
  /** What is wrong, one line each; empty if the laws held. */
  readonly violations: readonly string[];
  readonly versions: number;
  readonly admitted: number;
  readonly actions: number;
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
}

/** One run: a federation under faults, then without, then swept; and what the checker says of what is left. */
export async function simulate(
  seed: number | string,
  { trace, ...change }: Change & { readonly trace?: (line: string) => void } = {},
): Promise<RunResult> {
  const scenario = drawScenario(seed);
  const { rates, chunkBytes, layout, target } = scenario;
  const cloud = new Cloud(scenario.seed, { rates, chunkBytes, layout, target, ...change, trace });
  cloud.note(() => `scenario ${JSON.stringify(scenario)}`);
  const stuck = await runToTheEnd(cloud, scenario);
  // What ran away was cut off in the middle: nothing can be said of what it left.
  const isCutOff = stuck.some((line) => line.startsWith(cutOff));
  const violations = isCutOff ? stuck : [...stuck, ...findViolations(evidenceOf(cloud), { target, sealKey })];
  for (const violation of violations) cloud.note(() => `VIOLATION ${violation}`);
  const shelf = [...cloud.rounds.shelves.values()][0];
  return {
    scenario,
    violations,
    versions: shelf?.versions.size ?? 0,
    admitted: shelf?.counts.admitted ?? 0,
    actions: cloud.time.actions,
    counts: cloud.journal.counts,
  };
}

/** @returns what did not come to its end */
async function runToTheEnd(cloud: Cloud, scenario: Scenario): Promise<string[]> {
  const { time } = cloud;
  const { task, selection, round } = taskConfigSchema.parse(scenario.config);
  const startMs = time.nowMs;
  let acting = 1;
  const begin = (act: Promise<void>) => {
    acting++;
    void act.then(() => acting--);
  };
  begin(
    startTask(cloud, scenario).then(() => {
      acting--;
      begin(disturb(cloud, scenario));
      for (const plan of scenario.clients) begin(actAsClient(cloud, scenario, plan));
    }),
  );
  const hasRunAway = () => time.actions > mostActions || cloud.queue.held.size > mostMessages;
  const ranAway = () => [`${cutOff}: ${describe(cloud)}`];
  await time.run(startMs + scenario.faultsMs, hasRunAway);
  if (hasRunAway()) return ranAway();
  cloud.calm();
  const limitMs = time.nowMs + 6 * 60 * minute + 3 * round.deadlineMs;
  if (!(await time.run(limitMs, () => acting === 0 || hasRunAway()))) return ['a client or the operator never ended'];
  if (hasRunAway()) return ranAway();

  // The runbook: dead letters are redriven, a task that is stopped, suspended or could not be started is started.
  cloud.queue.redrive();
  const state = (await cloud.rounds.task(task))?.state;
  if (state === 'draft' || state === 'stopped' || state === 'suspended') begin(resume(cloud, task));
  const before = (await cloud.rounds.task(task))?.version ?? 0;
  if (scenario.isBusyAfter) {
    for (let i = 0; i < round.buffer; i++) begin(actAsClient(cloud, scenario, lateClient(scenario, i)));
  }
  const isQuiet = () => acting === 0 && isDrained(cloud, round.minimum);
  const isSuspended = () => acting === 0 && [...cloud.rounds.shelves.values()][0]?.record.state === 'suspended';
  const drainsUntilMs = time.nowMs + 6 * 60 * minute + 3 * round.deadlineMs;
  // What was under way when the faults stopped may only now have had its last try, or be the fifth failure. The runbook again, once.
  const hasDeadLetters = () => acting === 0 && cloud.queue.held.size === 0 && cloud.queue.deadLetters.length > 0;
  await time.run(drainsUntilMs, () => isQuiet() || isSuspended() || hasDeadLetters() || hasRunAway());
  cloud.queue.redrive();
  if (isSuspended()) begin(resume(cloud, task));
  const drained = await time.run(drainsUntilMs, () => isQuiet() || hasRunAway());
  if (hasRunAway()) return ranAway();
  const found = drained ? [] : [`did not drain: ${describe(cloud)}`];

  const record = await cloud.rounds.task(task);
  if (
    drained &&
    scenario.isBusyAfter &&
    record?.state === 'running' &&
    record.version <= before &&
    round.minimum === 1
  ) {
    found.push(`no version came of ${round.buffer} more clients`);
  }
  if (record && record.state !== 'running' && record.state !== 'completed') found.push(`the task is ${record.state}`);
  // The sweep: any look at the task ends the tickets that have run out.
  await time.run(time.nowMs + selection.ticketLifetimeMs + 11 * minute, () => false);
  begin(request(cloud, 'ShowTasks', 'sweep', (ports) => cloud.steps.showTask(ports, task)).then(() => {}));
  await time.run(time.nowMs + minute, () => acting === 0);
  return found;
}

function lateClient({ clients }: Scenario, i: number) {
  return { ...clients[0], name: `late-${i}`, startMs: minute + 1_000 * i, contributions: 1, ...honest };
}
const honest = { trainMs: 1_000, dropOut: 0, late: 0, again: 0, rubbish: 0 };

const cutOff = 'ran away';
/** Far more than a run takes: one that goes on has run away. */
const mostActions = 100_000;
/** Each version has a note, and a few more where one was sent twice. */
const mostMessages = 150;

/** Nothing is under way, and what the buffer holds is too little for a round. */
function isDrained({ queue, machine, rounds }: Cloud, minimum: number): boolean {
  for (const { message } of queue.held.values()) if (message.kind === 'arrival') return false;
  for (const { status } of machine.executions.values()) if (status === 'RUNNING') return false;
  for (const { record, buffer } of rounds.shelves.values()) {
    if (record.settledVersion !== record.version) return false;
    if (record.state === 'running' ? buffer.size >= minimum : buffer.size > 0) return false;
  }
  return true;
}

function describe({ queue, machine, rounds }: Cloud): string {
  const running = [...machine.executions.values()].filter(({ status }) => status === 'RUNNING').map(({ name }) => name);
  const shelf = [...rounds.shelves.values()][0];
  const kinds = [...queue.held.values()].map(({ message }) => message.kind);
  return JSON.stringify({
    running,
    messages: kinds.length,
    arrivals: kinds.filter((kind) => kind === 'arrival').length,
    buffered: shelf?.buffer.size,
    record: shelf && { ...shelf.record, config: undefined, artifacts: undefined },
  });
}
