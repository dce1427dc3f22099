import type { z } from 'zod';
import { step } from '../../../functions/step.ts';
import { parseArrivalMessage } from '../../../shared/wire/arrivals.ts';
import {
  aggregateInputSchema,
  cellInputSchema,
  manifestInputSchema,
  publishedSchema,
  releaseInputSchema,
  roundInputSchema,
  settleInputSchema,
} from '../../../shared/wire/workflow.ts';
import { hurtJsonBytes } from '../mutate.ts';
import { must, NotReached, type Target } from '../target.ts';

const record = {
  eventVersion: '2.1',
  eventName: 'ObjectCreated:Put',
  s3: {
    bucket: { name: 'b' },
    object: { key: `updates/demo/${'A'.repeat(43)}.safetensors`, size: 344, eTag: 'd41d8cd9' },
  },
};
const arrivalTexts = [
  { Records: [record, { ...record, eventName: 'ObjectCreated:CompleteMultipartUpload' }] },
  { Records: [{ ...record, s3: { object: { key: 'a+b%20c%C3%BC', size: 0, eTag: '' } } }] },
  { kind: 'deadline', task: 'demo', atMs: 1_790_000_000_000 },
  { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'b' },
].map((message) => JSON.stringify(message));

export const arrivals: Target = {
  name: 'arrivals',
  valid: arrivalTexts.map((text) => new TextEncoder().encode(text)),
  inputs: hurtJsonBytes(arrivalTexts),
  read(bytes) {
    const message = parseArrivalMessage(new TextDecoder().decode(bytes));
    if (message.kind === 'arrivals') {
      must(
        message.arrivals.every((arrival) => Number.isSafeInteger(arrival.bytes) && arrival.bytes >= 0),
        'an object of another size than any',
      );
    } else must(/^[a-z]/.test(message.task), 'a note for no task');
  },
};

const manifestKey = 'tasks/demo/rounds/3-0/manifest.json';
const round = { task: 'demo', version: 3, attempt: 0 };
const published = { task: 'demo', version: 3, manifestKey };
const inputs = {
  round: [roundInputSchema, [round]],
  manifest: [manifestInputSchema, [{ manifestKey }]],
  cell: [cellInputSchema, [{ manifestKey, cell: 0 }]],
  aggregate: [aggregateInputSchema, [{ manifestKey, cell: 0, level: 1 }]],
  published: [publishedSchema, [published]],
  settle: [
    settleInputSchema,
    [
      { ...published, evaluation: { loss: 0.1, accuracy: 0.9, examples: 10 } },
      { ...published, evaluation: null },
    ],
  ],
  release: [releaseInputSchema, [{ ...round, error: 'States.Timeout', cause: '{}' }]],
} satisfies Record<string, readonly [z.ZodType, readonly unknown[]]>;

/** Inputs of the round's steps, as Step Functions hands them over: parsed JSON. */
export const stepInputs: readonly Target[] = Object.entries(inputs).map(([name, [schema, valid]]) => {
  const texts = valid.map((value) => JSON.stringify(value));
  const handler = step<z.ZodType>(schema, async (input) => input);
  return {
    name: `step-${name}`,
    valid: texts.map((text) => new TextEncoder().encode(text)),
    inputs: hurtJsonBytes(texts),
    async read(bytes) {
      let event: unknown;
      try {
        event = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        throw new NotReached();
      }
      const input = await handler(event, { awsRequestId: '' } as never);
      must(JSON.stringify(schema.parse(input)) === JSON.stringify(input), 'another thing when it is read again');
    },
    // Step Functions matches on an error's name: it is our code.
    isRefusal: (error) => error instanceof Error && /^[a-z]+-[a-z-]+$/.test(error.name),
  };
});
