import { freeze } from '../shared/orchestrator/freeze.ts';
import { LayoutCache } from '../shared/orchestrator/read-object.ts';
import { roundInputSchema } from '../shared/wire/workflow.ts';
import { awsPorts } from './aws/ports.ts';
import { step } from './step.ts';

const ports = awsPorts('rounds', 'models', 'updates', 'queue', 'starter', 'gauge', 'clock', 'telemetry');
const layouts = new LayoutCache(ports.models);

export const handler = step(roundInputSchema, (input) => freeze(ports, layouts, input));
