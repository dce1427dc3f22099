import type { z } from 'zod';
import { api, parse } from '../../../functions/http.ts';
import { canonicalCodec } from '../../../shared/core/codec/codec.ts';
import {
  artifactNames,
  createTaskSchema,
  rollbackSchema,
  ticketRequestSchema,
  uploadRequestSchema,
} from '../../../shared/wire/api.ts';
import { codecSchema } from '../../../shared/wire/codec-config.ts';
import { enrolSchema, inviteSchema, revokeSchema, rotateSchema } from '../../../shared/wire/identity/api.ts';
import { methodSchema } from '../../../shared/wire/method.ts';
import { clientIdSchema, taskIdSchema, ticketIdSchema } from '../../../shared/wire/names.ts';
import { ruleSchema } from '../../../shared/wire/rules.ts';
import { serverOptimizerSchema } from '../../../shared/wire/server-optimizer.ts';
import { stalenessSchema } from '../../../shared/wire/staleness.ts';
import { taskConfigSchema } from '../../../shared/wire/task-config.ts';
import { jws, newSigner } from '../../memory/signer.ts';
import { hostileStrings } from '../hostile-values.ts';
import { hurtJsonBytes } from '../mutate.ts';
import { must, type Target } from '../target.ts';
import { codecs } from './updates.ts';

const sha256 = '0'.repeat(64);
const artifacts = Object.fromEntries(artifactNames.map((name) => [name, { bytes: 100, sha256 }]));
const rules = [
  { kind: 'norm-clipping', bound: { kind: 'quantile', quantile: 0.5 } },
  { kind: 'median' },
  { kind: 'trimmed-mean', attackers: 0.1 },
  { kind: 'krum', attackers: { count: 1 } },
  { kind: 'multi-krum', attackers: { fraction: 0.1 }, keep: 3 },
  { kind: 'bulyan' },
  { kind: 'nearest-neighbour-mixing' },
  { kind: 'bucketing', size: 2 },
  { kind: 'centred-clipping', radius: 2, iterations: 3, start: 'zero' },
  { kind: 'geometric-median', iterations: 10, smoothing: 1e-6 },
  { kind: 'fltrust' },
  { kind: 'isolation-forest', trees: 10, coordinates: 16 },
  { kind: 'autoencoder', hidden: 4, bottleneck: 2 },
  { kind: 'async-filter', versions: 8 },
  { kind: 'fools-gold', confidence: 1 },
  { kind: 'zeno', rho: 0.001, suspects: 1 },
  { kind: 'zeno-plus-plus', rho: 0.001 },
  { kind: 'q-fed-avg', q: 1, lipschitz: 20 },
  { kind: 'agnostic', mixtureRate: 0.1 },
  { kind: 'contribution', measure: 'leave-one-out' },
];
const configs = [
  { task: 'demo' },
  {
    task: 'all-fields',
    description: 'everything said',
    round: { mode: 'async', buffer: 10, minimum: 2, deadlineMs: 60_000, maxStaleness: 20 },
    staleness: { kind: 'hinge', a: 10, b: 4 },
    weighting: 'examples',
    method: { kind: 'fedbuff', delayThreshold: 4 },
    aggregation: { rules: [rules[0], rules[2]] },
    serverOptimizer: { kind: 'fed-adam', learningRate: 0.01, beta1: 0.9, beta2: 0.99, adaptivity: 0.001 },
    codecs: { upload: { kind: 'int8', block: 256, rotate: true }, accept: ['float32'], download: { kind: 'fp16' } },
    statistics: { means: ['bn.mean'], variances: ['bn.var'] },
    selection: { concurrency: 30, ticketLifetimeMs: 60_000 },
    training: { localEpochs: 2, batchSize: 32, learningRate: 0.05, seed: 1 },
    stop: { rounds: 10, targetAccuracy: 0.9 },
    tileBytes: 5 * 1024 * 1024,
    maxExamples: 1000,
  },
];

interface Door {
  readonly schema: z.ZodType;
  readonly valid: readonly unknown[];
}

const hostile = hostileStrings.map((text) => JSON.stringify(text));

/** Everything that a request's body or path is read by. */
const doors = {
  'create-task': { schema: createTaskSchema, valid: configs.map((config) => ({ config, artifacts })) },
  'task-config': { schema: taskConfigSchema, valid: configs },
  rule: { schema: ruleSchema, valid: rules },
  method: {
    schema: methodSchema,
    valid: [
      { kind: 'fedasync', mixing: 0.5 },
      { kind: 'aced', delayLimit: 3 },
    ],
  },
  'server-optimizer': { schema: serverOptimizerSchema, valid: [{ kind: 'sgd', momentum: 0.5 }, { kind: 'fadas' }] },
  staleness: { schema: stalenessSchema, valid: [{ kind: 'polynomial', exponent: 1 }, { kind: 'exponential' }] },
  codec: { schema: codecSchema, valid: codecs.map((codec) => JSON.parse(canonicalCodec(codec))) },
  ticket: { schema: ticketRequestSchema, valid: [{}, { have: 3 }] },
  upload: {
    schema: uploadRequestSchema,
    valid: [
      {
        bytes: 100,
        sha256,
        examples: 20,
        metrics: { loss: 0.5, 'f1.micro': 1e-3 },
        codec: { kind: 'int8' },
        agent: 'tributary-client/0.1.0 python/3.11',
        statement: jws(newSigner('a'), 'tributary-update+jwt', { sub: 'a', task: 'demo', examples: 20 }),
      },
    ],
  },
  rollback: { schema: rollbackSchema, valid: [{ version: 3 }] },
  invite: { schema: inviteSchema, valid: [{ clients: ['north', 'south'] }, { clients: ['a'], lifetimeMs: 60_000 }] },
  enrol: {
    schema: enrolSchema,
    valid: [{ code: 'A'.repeat(43), client: 'north', publicKey: newSigner('a').publicKey }],
  },
  rotate: { schema: rotateSchema, valid: [{ publicKey: newSigner('a').publicKey, proof: 'Tributary a.b.c' }] },
  revoke: { schema: revokeSchema, valid: [{}, { reason: 'its laptop was stolen' }] },
  'task-id': { schema: taskIdSchema, valid: ['demo'] },
  'client-id': { schema: clientIdSchema, valid: ['hospital-1'] },
  'ticket-id': { schema: ticketIdSchema, valid: ['A'.repeat(43)] },
} satisfies Record<string, Door>;

const request = {
  routeKey: 'POST /',
  rawPath: '/',
  headers: {},
  requestContext: { http: { method: 'POST' }, domainName: 'localhost' },
  isBase64Encoded: true,
};

/** A body through the HTTP layer: the answer is a document with a code, and never a 500. */
export const apiBodies: readonly Target[] = Object.entries(doors).map(([name, { schema, valid }]) =>
  target(name, schema, valid),
);

function target(name: string, schema: z.ZodType, valid: readonly unknown[]): Target {
  const texts = valid.map((value) => JSON.stringify(value));
  const handler = api(async ({ body }) => ({ status: 200, body: { value: parse(schema, body) } }));
  return {
    name: `api-${name}`,
    valid: texts.map((text) => new TextEncoder().encode(text)),
    inputs: hurtJsonBytes(typeof valid[0] === 'string' ? [...texts, ...hostile] : texts),
    async read(bytes) {
      const event = { ...request, body: Buffer.from(bytes).toString('base64') };
      const { statusCode = 0, body = '', headers = {} } = await handler(event as never, { awsRequestId: '' } as never);
      must(body.length < 100_000, `an answer of ${body.length} characters`);
      const answer = JSON.parse(body);
      if (statusCode !== 200) {
        must(headers['content-type'] === 'application/problem+json', 'an error that is no problem document');
        if (statusCode >= 500) throw new Error(`${statusCode}: ${body}`);
        throw new Refused(answer.code);
      }
      const again = JSON.stringify(parse(schema, answer.value));
      must(again === JSON.stringify(answer.value), 'what was accepted is another thing when it is read again');
      must(!/(?<!\\)\\ud[89a-f]/.test(again), 'half a character');
    },
    isRefusal: (error) => error instanceof Refused,
  };
}

class Refused extends Error {}
