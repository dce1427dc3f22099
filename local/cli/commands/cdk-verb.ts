import type { Command } from 'commander';
import type { Console } from '../console.ts';
import { ExitCode } from '../exit.ts';
import { runCdk } from '../synthesize.ts';

/** A verb that hands over to the CDK with everything that follows it. */
export function cdkVerb(
  program: Command,
  console: Console,
  verb: {
    readonly verb: string;
    readonly summary: string;
    readonly prefix: readonly string[];
    readonly example: string;
  },
): void {
  program
    .command(verb.verb)
    .summary(verb.summary)
    .description(`${verb.summary}.`)
    .argument('[cdk-options...]', 'passed on to the CDK; put -- before the first one')
    .allowUnknownOption()
    .addHelpText('after', `\nExamples:\n  ${verb.example}`)
    .action(async (rest: readonly string[]) => {
      const code = await runCdk([...verb.prefix, ...rest], { ...console.env });
      if (code !== 0) throw new ExitCode(code);
    });
}
