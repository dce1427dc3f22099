import { seal } from '../shared/orchestrator/seal-versions.ts';
import { settleInputSchema } from '../shared/wire/workflow.ts';
import { awsPorts } from './aws/ports.ts';
import { step } from './step.ts';

const ports = awsPorts('rounds', 'models', 'sealer', 'sha256');

export const handler = step(settleInputSchema, async (input) => {
  await seal(ports, input);
  return input;
});
