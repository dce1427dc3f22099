import { writeUpdate } from '../../../client/typescript/update-codec.ts';
import { nodeCompressors } from '../../../functions/compressors.ts';
import type { ClientId, TaskId, TicketId } from '../../../shared/core/names.ts';
import { layoutOf } from '../../../shared/core/params.ts';
import { type Random, randomFrom } from '../../../shared/core/random.ts';
import { updateKey } from '../../../shared/orchestrator/keys.ts';
import { codecSchema } from '../../../shared/wire/codec-config.ts';
import type { ClientPlan, Scenario } from '../scenario.ts';
import type { Cloud } from '../world/cloud.ts';
import { hashOf } from '../world/journal.ts';
import { persist, request } from './api.ts';

/** A client: takes tickets, trains, uploads, and does now and then what clients do. */
export async function actAsClient(cloud: Cloud, scenario: Scenario, plan: ClientPlan): Promise<void> {
  const random = randomFrom(`${scenario.seed}/${plan.name}`);
  await cloud.time.sleep(plan.startMs);
  for (let turn = 0, have: number | undefined; turn < plan.contributions; turn++) {
    have = await contribute(cloud, scenario, plan, random, have);
    await cloud.time.sleep(60_000 * random.next() ** 3);
  }
}

/** @returns the version whose model the client now has */
async function contribute(
  cloud: Cloud,
  scenario: Scenario,
  plan: ClientPlan,
  random: Random,
  have: number | undefined,
): Promise<number | undefined> {
  const { steps, time } = cloud;
  const task = scenario.config.task as TaskId;
  const client = plan.name as ClientId;
  const issued = await persist(cloud, 60, () =>
    request(cloud, 'IssueTicket', plan.name, (ports) => steps.issueTicket(ports, task, { client, have })),
  );
  if (issued.kind !== 'ok') return have;
  const { baseVersion } = issued.body;
  const ticket = issued.body.ticket as TicketId;
  if (random.next() < plan.dropOut / 2) return baseVersion;
  await time.sleep(plan.trainMs * random.next() ** 2);
  const { declared, bytes } = await update(scenario, plan, random, baseVersion);
  const open = () =>
    persist(cloud, 5, () =>
      request(cloud, 'OpenUpload', plan.name, (ports) => steps.openUpload(ports, ticket, { client, ...declared })),
    );
  const opened = await open();
  if (opened.kind !== 'ok') return baseVersion;
  if (random.next() < plan.dropOut / 2) return baseVersion;
  if (random.next() < plan.again) await open();
  if (random.next() < plan.late) await time.sleep(random.next() * 30 * 60_000);
  const key = updateKey(task, ticket);
  const put = () => cloud.putUpdate(key, bytes, opened.body.expiresAtMs);
  const status = put();
  cloud.note(() => `${plan.name} PUT ${key.replace(/0{20,}/, '..')} -> ${status}`);
  if (random.next() < plan.again) {
    await time.sleep(120_000 * random.next() ** 2);
    const again = put();
    cloud.note(() => `${plan.name} PUT again ${key.replace(/0{20,}/, '..')} -> ${again}`);
  }
  if (random.next() < 0.3) {
    await request(cloud, 'TicketStatus', plan.name, (ports) => steps.ticketStatus(ports, ticket, client));
  }
  return baseVersion;
}

/** What the client declares, and the bytes that it sends, which are those. */
async function update({ config, tensors, parameters }: Scenario, plan: ClientPlan, random: Random, base: number) {
  const examples = 1 + random.below(50);
  const isRubbish = random.next() < plan.rubbish;
  const values = Float32Array.from({ length: parameters }, () => 0.1 * random.normal());
  const codec = codecSchema.parse(isRubbish ? { kind: 'float32' } : plan.codecs[random.below(plan.codecs.length)]);
  if (isRubbish && random.next() < 0.5) values[random.below(parameters)] = Number.NaN;
  const claimed = isRubbish && random.next() < 0.5 ? base + 1 : base;
  const metadata = { task: config.task, baseVersion: String(claimed), examples: String(examples) };
  const written = await writeUpdate(codec, layoutOf(tensors), (into) => into.set(values), metadata, {
    random,
    compressors: nodeCompressors,
  });
  const { bytes } = written;
  const metrics = { trainLoss: random.next() };
  return {
    bytes,
    declared: {
      bytes: bytes.length,
      sha256: hashOf(bytes),
      examples,
      metrics,
      codec: written.codec,
      statement: 'a.b.c',
    },
  };
}
