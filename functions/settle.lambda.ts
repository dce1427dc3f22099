import { settle } from '../shared/orchestrator/settle.ts';
import { settleInputSchema } from '../shared/wire/workflow.ts';
import { awsPorts } from './aws/ports.ts';
import { step } from './step.ts';

const ports = awsPorts('rounds', 'models', 'updates', 'queue', 'starter', 'gauge', 'clock', 'telemetry');

export const handler = step(settleInputSchema, (input) => settle(ports, input));
