import { release } from '../shared/orchestrator/release.ts';
import { releaseInputSchema } from '../shared/wire/workflow.ts';
import { awsPorts } from './aws/ports.ts';
import { step } from './step.ts';

const ports = awsPorts('rounds', 'models', 'updates', 'queue', 'starter', 'gauge', 'clock', 'telemetry');

export const handler = step(releaseInputSchema, (input) => release(ports, input));
