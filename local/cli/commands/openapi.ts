import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { openApi } from '../../openapi/document.ts';
import type { Console } from '../console.ts';

export function addOpenapi(program: Command, console: Console): void {
  program
    .command('openapi')
    .summary('write the HTTP API as an OpenAPI 3.1 document')
    .description(
      'The HTTP API of clients and operators, OpenAPI 3.1, made from the schemas that the functions check requests with.',
    )
    .option('--out <file>', 'write it there instead of printing it')
    .addHelpText('after', '\nExample:\n  npx tributary openapi --out docs/openapi.json')
    .action(async ({ out }: { out?: string }) => {
      const text = JSON.stringify(openApi(), null, 1);
      if (out === undefined) return console.out(text);
      await writeFile(out, `${text}\n`);
      console.out(`wrote ${out}`);
    });
}
