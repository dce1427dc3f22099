import type { Command } from 'commander';
import type { DeadLetterChoice, DeadLettersMoved } from '../../../shared/wire/dead-letters.ts';
import { type Console, UsageError } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { ExitCode } from '../exit.ts';
import { OperatorApi } from '../operator-api.ts';

interface Options {
  readonly all: boolean;
  readonly endpoint?: string;
  readonly json: boolean;
}

export function addDeadLettersRedrive(group: Command, console: Console): void {
  addMove(group, console, {
    name: 'redrive',
    about: 'send messages back to the arrivals queue, once the cause is mended',
    done: 'sent back',
    call: (api, choice) => api.redriveDeadLetters(choice, console.signal),
  });
}

export function addDeadLettersDrop(group: Command, console: Console): void {
  addMove(group, console, {
    name: 'drop',
    about: 'delete messages for good',
    done: 'dropped',
    call: (api, choice) => api.dropDeadLetters(choice, console.signal),
  });
}

function addMove(
  group: Command,
  console: Console,
  verb: {
    readonly name: string;
    readonly about: string;
    readonly done: string;
    readonly call: (api: OperatorApi, choice: DeadLetterChoice) => Promise<DeadLettersMoved>;
  },
): void {
  group
    .command(verb.name)
    .argument('[messages...]', 'ids as `dead-letters list` shows them')
    .summary(verb.about)
    .option('--all', 'every message', false)
    .addOption(endpointOption())
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', `\nExample:\n  npx tributary dead-letters ${verb.name} 6b9f0f1e-52c4-4c7e-8a53-0e8d5c1f3a77`)
    .action(async (messages: string[], { all, endpoint, json }: Options) => {
      if (all === messages.length > 0) throw new UsageError('give the ids of messages, or --all');
      const api = new OperatorApi(await resolveEndpoint(endpoint, console.env));
      const { moved, missing } = await untilDone((choice) => verb.call(api, choice), messages);
      if (json) console.out(JSON.stringify({ moved, missing }));
      else console.out(`${moved.length} ${verb.done}`);
      if (missing.length === 0) return;
      console.err(`not among the dead letters, or held by somebody else for a minute: ${missing.join(', ')}`);
      throw new ExitCode(1);
    });
}

/** Asks again while the API had no time to come to the end of the queue. @param messages none for all */
async function untilDone(
  call: (choice: DeadLetterChoice) => Promise<DeadLettersMoved>,
  messages: readonly string[],
): Promise<Omit<DeadLettersMoved, 'more'>> {
  const moved: string[] = [];
  for (let missing: readonly string[] = messages; ; ) {
    const answer = await call(messages.length > 0 ? { messages: [...missing] } : { all: true });
    moved.push(...answer.moved);
    missing = answer.missing;
    if (!answer.more) return { moved, missing };
  }
}
