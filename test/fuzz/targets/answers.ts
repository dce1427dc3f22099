import fc from 'fast-check';
import { parsePresignedPut, parseTicket, parseTicketStatus, problemOf } from '../../../client/typescript/answers.ts';
import { webCompressors } from '../../../client/typescript/compressors.ts';
import { applyDelta } from '../../../client/typescript/version-delta.ts';
import { UpdateCoder } from '../../../shared/core/codec/update-coder.ts';
import { FlError } from '../../../shared/core/errors.ts';
import { layoutOf } from '../../../shared/core/params.ts';
import { randomFrom } from '../../../shared/core/random.ts';
import { tileCoder } from '../../../shared/orchestrator/version-delta.ts';
import { codecSchema } from '../../../shared/wire/codec-config.ts';
import { encodeUpdateFile } from '../../../shared/wire/encoded-update-file.ts';
import { hurtJsonBytes } from '../mutate.ts';
import { must, type Target } from '../target.ts';
import { hurtTensors } from './safetensors.ts';

const file = { url: 'https://a.example/b?c=d', bytes: 100, sha256: '0'.repeat(64) };
const ticket = {
  ticket: 'A'.repeat(43),
  task: 'demo',
  client: 'c',
  baseVersion: 3,
  modelUrl: file.url,
  package: { 'evaluate.onnx': file, 'train-step.onnx': file, 'train-epoch.onnx': file },
  plan: { localEpochs: 1, batchSize: 32, learningRate: 0.05, seed: 1 },
  codec: { kind: 'int8', block: 256, rotate: true, compress: 'deflate' },
  deltas: [{ version: 3, urls: [file.url] }],
  expiresAtMs: 1_000_000,
};

function answer(name: string, valid: readonly unknown[], read: (body: Uint8Array) => unknown): Target {
  const texts = valid.map((value) => JSON.stringify(value));
  return {
    name: `answer-${name}`,
    valid: texts.map((text) => new TextEncoder().encode(text)),
    inputs: hurtJsonBytes(texts),
    read,
  };
}

const layout = layoutOf([{ name: 'w', shape: [9, 9] }]);
const delta = await encodeUpdateFile(
  tileCoder(codecSchema.parse({ kind: 'fp16', compress: 'deflate' }), 50),
  new Float32Array(50).fill(0.5),
  { task: 'demo', version: '3' },
  { random: randomFrom(1), compressors: webCompressors },
);

/** What a server that lies can tell a client. */
export const answers: readonly Target[] = [
  answer(
    'ticket',
    [
      ticket,
      { ...ticket, codec: { kind: 'top-k', fraction: 0.1, compress: 'none' } },
      { ...ticket, codec: { kind: 'low-rank', rank: 4, compress: 'none' }, deltas: [] },
    ],
    (body) => {
      const { codec, plan, package: files } = parseTicket(body);
      must(
        plan.localEpochs <= 1_000 && plan.batchSize <= 1_000_000 && plan.learningRate <= 1_000,
        'training without end',
      );
      must(
        Object.values(files).every(({ bytes }) => bytes <= 5_000_000_000),
        'a package without end',
      );
      // Whoever takes the codec must be able to write with it.
      must(codecSchema.safeParse(codec).success, `the codec ${JSON.stringify(codec)}`);
      const values = new Float32Array(layout.size).fill(0.5);
      new UpdateCoder(codec, layout).encode(values, { random: randomFrom(1) });
    },
  ),
  answer(
    'presigned-put',
    [{ url: file.url, headers: { 'content-type': 'a/b', 'if-none-match': '*' }, expiresAtMs: 1 }],
    (body) => {
      const { headers } = parsePresignedPut(body);
      must(
        Object.values(headers).every((value) => typeof value === 'string'),
        'a header that is no text',
      );
      new Headers(headers);
    },
  ),
  answer(
    'ticket-status',
    [{ ticket: ticket.ticket, task: 'demo', state: 'aggregated', baseVersion: 1, version: 2, reason: 'x' }],
    parseTicketStatus,
  ),
  answer(
    'problem',
    [{ type: 'urn:x', title: 'busy', status: 429, detail: 'later', code: 'client-busy', retryAfterMs: 100 }],
    (body) => {
      for (const status of [400, 429, 503]) {
        const problem = problemOf({ status, headers: { 'retry-after': '1e9' }, body }, 'no ticket');
        must(problem instanceof FlError && problem.message.length < 2_000, 'no error of ours');
        must((problem.retryAfterMs ?? 0) >= 0 && (problem.retryAfterMs ?? 0) <= 86_400_000, 'a pause without end');
      }
    },
  ),
  {
    name: 'answer-delta',
    valid: [delta.bytes],
    inputs: fc.oneof(hurtTensors([delta.bytes])),
    async read(bytes) {
      const next = await applyDelta(new Float32Array(50), [bytes], webCompressors);
      must(next.length === 50 && next.every(Number.isFinite), 'a model that is none');
    },
  },
];
