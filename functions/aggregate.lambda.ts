import { aggregateTile } from '../shared/orchestrator/aggregate.ts';
import { aggregateInputSchema } from '../shared/wire/workflow.ts';
import { awsPorts } from './aws/ports.ts';
import { step } from './step.ts';

const ports = awsPorts('models', 'updates');

export const handler = step(aggregateInputSchema, ({ manifestKey, tile }) => aggregateTile(ports, manifestKey, tile));
