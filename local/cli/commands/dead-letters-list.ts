import type { Command } from 'commander';
import type { DeadLettersResponse } from '../../../shared/wire/dead-letters.ts';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { table } from '../table.ts';

export function addDeadLettersList(group: Command, console: Console): void {
  group
    .command('list')
    .summary('list what could not be admitted, and why')
    .addOption(endpointOption())
    .option('--json', "print the API's answer as it is", false)
    .addHelpText('after', '\nExample:\n  npx tributary dead-letters list')
    .action(async ({ endpoint, json }: { endpoint?: string; json: boolean }) => {
      const found = await new OperatorApi(await resolveEndpoint(endpoint, console.env)).deadLetters(console.signal);
      if (json) console.out(JSON.stringify(found));
      else for (const line of deadLetterLines(found)) console.out(line);
    });
}

/** Dead letters for a person. */
export function deadLetterLines({ deadLetters, total }: DeadLettersResponse): string[] {
  if (total === 0) return ['no dead letters'];
  const rows = deadLetters.map(({ id, kind, task, ticket, sentAtMs, lastFailedAtMs, tries, reason, detail }) => [
    id,
    kind,
    task ?? '',
    ticket ? `${ticket.slice(0, 8)}…` : '',
    timeText(sentAtMs),
    lastFailedAtMs === undefined ? '' : timeText(lastFailedAtMs),
    tries === undefined ? '' : String(tries),
    `${reason}: ${detail.slice(0, 120)}`,
  ]);
  const lines = table([['message', 'kind', 'task', 'ticket', 'sent', 'last failed', 'tries', 'reason'], ...rows], 99);
  if (total <= deadLetters.length) return lines;
  return [...lines, `${deadLetters.length} of about ${total}: the others follow, or somebody else is looking at them`];
}

const timeText = (atMs: number) => new Date(atMs).toISOString().slice(0, 19);
