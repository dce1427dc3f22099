import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Cloud } from '../../local/cloud/cloud.ts';
import { readPlan } from '../../local/cloud/template/read-plan.ts';
import type { Answer, LoadResult } from './generator.ts';

type Item = Readonly<Record<string, unknown>>;

/**
 * What is wrong after a load, by the table alone and what was answered: one line each, empty if nothing is. It shares no code with the
 * functions that wrote the table.
 * @param cap open tickets that each task may have
 */
export async function audit(
  { cloud, assembly }: { readonly cloud: Cloud; readonly assembly: string },
  { answers, lost }: LoadResult,
  { tasks, cap }: { readonly tasks: readonly string[]; readonly cap: number },
): Promise<string[]> {
  const items = await scan(cloud, assembly);
  const wanted = new Set(tasks);
  const given = answers.filter(({ status }) => status === 201);
  const tickets = items.filter(({ pk, task }) => String(pk).startsWith('TICKET#') && wanted.has(String(task)));
  const byId = new Map(tickets.map((item) => [String(item.ticket), item]));
  const faults: string[] = [];
  const must = (holds: boolean, what: string) => holds || faults.push(what);

  for (const { ticket, task, client } of given) {
    const item = byId.get(String(ticket));
    must(
      item?.task === task && item?.client === client,
      `ticket ${ticket} was given to ${client} and is not recorded so`,
    );
  }
  must(new Set(given.map(({ ticket }) => ticket)).size === given.length, 'a ticket was given twice');
  // A request without an answer, or whose answer was 5xx, may have come through: the function runs on.
  const unsure = lost + answers.filter(({ status }) => status >= 500).length;
  const unheard = tickets.length - given.length;
  must(
    unheard >= 0 && unheard <= unsure,
    `${unheard} tickets that nobody was given, ${unsure} answers that do not say`,
  );

  for (const task of tasks) {
    const own = tickets.filter((item) => item.task === task && (item.state === 'issued' || item.state === 'uploading'));
    const open = items.filter(({ pk }) => pk === `OPEN#${task}`);
    const counts = items.find(({ pk, sk }) => pk === `TASK#${task}` && sk === 'COUNTS');
    must(own.length <= cap, `task ${task} has ${own.length} open tickets, at most ${cap}`);
    must(new Set(own.map(({ client }) => client)).size === own.length, `a client holds two tickets of task ${task}`);
    must(
      Number(counts?.open ?? 0) === own.length,
      `task ${task} counts ${counts?.open} open tickets, ${own.length} are`,
    );
    const held = new Set(open.map(({ sk, ticket }) => `${sk} ${ticket}`));
    const agrees = own.every(({ client, ticket }) => held.has(`${client} ${ticket}`)) && held.size === own.length;
    must(agrees, `task ${task}: who holds a ticket is recorded otherwise than the tickets are`);
  }
  for (const answer of answers) if (!isGood(answer)) faults.push(`an answer ${JSON.stringify(answer)}`);
  return [...new Set(faults)];
}

/** A ticket, or a refusal that a client can wait out: ours say for how long, those of API Gateway do not. */
function isGood({ status, code, retryAfter, ticket }: Answer): boolean {
  if (status === 201) return ticket !== undefined;
  if (status !== 429 && status !== 503) return false;
  return code === undefined ? retryAfter === undefined : Number(retryAfter) >= 1;
}

async function scan({ endpoints, credentials }: Cloud, assembly: string): Promise<readonly Item[]> {
  const { region, ...keys } = credentials;
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({ endpoint: endpoints.dynamodb, region, credentials: keys }),
  );
  const items: Item[] = [];
  for (const { name: TableName } of readPlan(assembly).tables) {
    for (let from: Record<string, unknown> | undefined, more = true; more; more = from !== undefined) {
      const page = await client.send(new ScanCommand({ TableName, ExclusiveStartKey: from }));
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    }
  }
  client.destroy();
  return items;
}
