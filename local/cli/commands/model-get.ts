import { type Command, InvalidArgumentError } from 'commander';
import type { Console } from '../console.ts';
import { endpointOption, resolveEndpoint } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { integer } from '../values.ts';

export function addModelGet(group: Command, console: Console): void {
  group
    .command('get')
    .argument('<task>', "the task's id")
    .argument('[version]', 'number of the version', parseVersion, 'latest')
    .summary('download a version as ONNX and safetensors')
    .addOption(endpointOption())
    .option('--out <dir>', 'folder for model.onnx and model.safetensors', '.')
    .option('--json', 'print one JSON object', false)
    .addHelpText('after', '\nExample:\n  npx tributary model get synthetic-1-1 12 --out models/v12')
    .action(
      async (
        task: string,
        wanted: number | 'latest',
        { endpoint, out, json }: { endpoint?: string; out: string; json: boolean },
      ) => {
        const api = new OperatorApi(await resolveEndpoint(endpoint, console.env));
        const version = wanted === 'latest' ? (await api.task(task, console.signal)).version : wanted;
        const { saveModel } = await import('../start/save-model.ts');
        const saved = await saveModel(api, { task, version, folder: out }, console.signal);
        const { onnxPath, safetensorsPath, params } = saved;
        if (json) {
          console.out(JSON.stringify({ task, version, parameters: params.layout.size, onnxPath, safetensorsPath }));
        } else {
          console.out(`version ${version} of ${task}:\n  ${onnxPath}\n  ${safetensorsPath}`);
        }
      },
    );
}

function parseVersion(text: string): number | 'latest' {
  if (text === 'latest') return text;
  try {
    return integer(0)(text);
  } catch {
    throw new InvalidArgumentError('Expected a version number or "latest".');
  }
}
