import type { Transport, TransportRequest, TransportResponse } from '../../client/typescript/transport.ts';
import { layoutOf } from '../../shared/core/params.ts';
import { encodeSafetensors } from '../../shared/wire/safetensors.ts';

/** A transport that answers from a script: what a server could say, good and bad. */

export const layout = layoutOf([{ name: 'w', shape: [2] }]);
export const ticketId = 'T'.repeat(43);
/** SHA-256 of the three bytes "abc": FIPS 180-2, appendix B.1. */
const abcSha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const abc = new TextEncoder().encode('abc');

export const ticket = {
  ticket: ticketId,
  task: 'task',
  client: 'ann',
  baseVersion: 7,
  modelUrl: 'http://s3.test/model',
  package: Object.fromEntries(
    ['evaluate.onnx', 'train-step.onnx', 'train-epoch.onnx'].map((name) => [
      name,
      { url: `http://s3.test/${name}`, bytes: 3, sha256: abcSha256 },
    ]),
  ),
  plan: { localEpochs: 1, batchSize: 2, learningRate: 0.1, seed: 1 },
  expiresAtMs: 1_000_000,
};

export const put = {
  url: 'http://s3.test/update?signature=x',
  headers: { 'content-length': '100', 'if-none-match': '*', 'x-amz-checksum-sha256': 'abc=' },
  expiresAtMs: 1_000_000,
};

export function json(status: number, body: unknown, headers: Record<string, string> = {}): TransportResponse {
  return { status, headers, body: new TextEncoder().encode(JSON.stringify(body)) };
}

export function text(status: number, body: string, headers: Record<string, string> = {}): TransportResponse {
  return { status, headers, body: new TextEncoder().encode(body) };
}

export const problem = (status: number, code: string, more: object = {}) =>
  json(status, { type: `urn:tributary:problem:${code}`, title: code, status, detail: `about ${code}`, code, ...more });

type Answer = TransportResponse | Error;
export type Step = 'ticket' | 'model' | 'package' | 'declare' | 'put' | 'status';

/** Answers each step from its list, one after the other, and then as a good server would. */
export function fakeServer(script: Partial<Record<Step, Answer[]>> = {}): {
  transport: Transport;
  requests: (TransportRequest & { step: Step })[];
  count(step: Step): number;
} {
  const requests: (TransportRequest & { step: Step })[] = [];
  const transport: Transport = async (request) => {
    const step = stepOf(request);
    requests.push({ ...request, step });
    const answer = script[step]?.shift() ?? goodAnswer(step);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { transport, requests, count: (step) => requests.filter((request) => request.step === step).length };
}

function stepOf({ method, url }: TransportRequest): Step {
  const { pathname } = new URL(url);
  if (pathname.endsWith('/tickets')) return 'ticket';
  if (pathname.endsWith('/upload')) return 'declare';
  if (pathname.startsWith('/v1/tickets/')) return 'status';
  if (method === 'PUT') return 'put';
  return pathname === '/model' ? 'model' : 'package';
}

function goodAnswer(step: Step): TransportResponse {
  switch (step) {
    case 'ticket':
      return json(200, ticket);
    case 'model':
      return { status: 200, headers: {}, body: encodeSafetensors({ layout, values: Float32Array.of(1, 2) }) };
    case 'package':
      return { status: 200, headers: {}, body: abc };
    case 'declare':
      return json(200, put);
    case 'put':
      return { status: 200, headers: {}, body: new Uint8Array() };
    case 'status':
      return json(200, { ticket: ticketId, task: 'task', state: 'aggregated', baseVersion: 7, version: 8 });
  }
}
