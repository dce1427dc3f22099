import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parseHeldOut } from '../../../shared/wire/held-out.ts';
import type { TaskConfigInput } from '../../../shared/wire/task-config.ts';
import type { Console } from '../console.ts';
import { UsageError } from '../console.ts';
import { readEncodingFile } from '../data-files.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { type BuiltModel, statisticsOf } from '../model-spec.ts';
import { readTaskFile } from '../task-file.ts';

export function addTaskCreate(group: Command, console: Console): void {
  group
    .command('create')
    .argument('<file>', 'YAML or JSON; examples/task.yaml explains every field')
    .summary('create and start a task from a file')
    .description('Builds the training package of the model in the file, uploads it, and starts the task.')
    .addOption(endpointOption())
    .option('--encoding <file>', 'what `data agree` wrote: how clients make examples of their own tables')
    .option('--json', 'print one JSON object', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npx tributary task create examples/task.yaml\n  npx tributary task create hospitals.yaml --encoding encoding.json',
    )
    .action(
      async (file: string, { endpoint, encoding, json }: { endpoint?: string; encoding?: string; json: boolean }) => {
        const { config, model, choice, heldOut, root } = await readTaskFile(file);
        const target = await resolveEndpoint(endpoint, console.env);
        const [{ buildModel }, { createTask }, { OperatorApi }] = await Promise.all([
          import('../model-spec.ts'),
          import('../create-task.ts'),
          import('../operator-api.ts'),
        ]);
        const samples = {
          ...(heldOut !== undefined && { heldOut: await readSamples('heldOut', heldOut) }),
          ...(root !== undefined && { root: await readSamples('root', root) }),
          ...(encoding !== undefined && { encoding: await readEncodingFile(encoding) }),
        };
        const built = await buildModel(model, config.training?.seed ?? 1, choice);
        for (const note of built.notes) console.err(note);
        const task = await createTask(
          new OperatorApi(target),
          withStatistics(config, built),
          built,
          samples,
          console.signal,
        );
        const parameters = built.package.layout.size;
        if (json) console.out(JSON.stringify({ task, parameters, endpoint: target.url }));
        else console.out(`task ${task} is running: ${parameters} parameters`);
      },
    );
}

/** What the file says of running statistics, or else what the model says. */
function withStatistics(config: TaskConfigInput, built: BuiltModel): TaskConfigInput {
  const { means = [], variances = [] } = config.statistics ?? {};
  return means.length + variances.length > 0 ? config : { ...config, statistics: statisticsOf(built) };
}

/** Checked here, so that a wrong file is refused before the task exists. */
async function readSamples(field: string, path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new UsageError(`${field}: cannot read ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  parseHeldOut(bytes);
  return bytes;
}
