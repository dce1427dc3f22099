import { publish } from '../shared/orchestrator/publish.ts';
import { publishInputSchema } from '../shared/wire/workflow.ts';
import { awsPorts } from './aws/ports.ts';
import { step } from './step.ts';

const ports = awsPorts('rounds', 'models', 'clock');

export const handler = step(publishInputSchema, (input) => publish(ports, input));
