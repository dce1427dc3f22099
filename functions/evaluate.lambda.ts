import { VersionEvaluator } from '../shared/orchestrator/evaluate-version.ts';
import { publishedSchema } from '../shared/wire/workflow.ts';
import { awsPorts } from './aws/ports.ts';
import { OnnxEvaluator } from './onnx-evaluator.ts';
import { step } from './step.ts';

const versions = new VersionEvaluator(awsPorts('rounds', 'models'), new OnnxEvaluator());

export const handler = step(publishedSchema, (published) => versions.evaluate(published));
