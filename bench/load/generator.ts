import { createHash, createPrivateKey, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import process from 'node:process';
import autocannon from 'autocannon';
import type { KeyFile } from '../../shared/wire/identity/keys.ts';

/** In a process of its own, as autocannon takes a worker thread for its own: asks for tickets over so many connections, each request with a proof of its own. */
export interface LoadPlan {
  readonly endpoint: string;
  readonly connections: number;
  readonly requests: number;
  readonly tasks: readonly string[];
  readonly clients: readonly (KeyFile & { readonly kid: string })[];
}

export interface Answer {
  readonly status: number;
  /** Of a problem document; absent where API Gateway answered itself. */
  readonly code?: string;
  readonly retryAfter?: string;
  /** Where the status is 201. */
  readonly ticket?: string;
  readonly task?: string;
  readonly client?: string;
}

export interface LoadResult {
  readonly seconds: number;
  readonly answers: readonly Answer[];
  /** Requests without an answer. */
  readonly lost: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

const [plan] = await once(process, 'message');
const { endpoint, connections, requests, tasks, clients }: LoadPlan = plan;
const signers = clients.map(({ client, kid, privateKey }) => ({
  client,
  kid,
  key: createPrivateKey({ key: { ...privateKey }, format: 'jwk' }),
}));
const { host } = new URL(endpoint);
const body = '{}';
const digest = createHash('sha256').update(body).digest('base64url');
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Each pair of task and client once before any comes twice: docs/decisions/0010 for the proof. */
let made = 0;
function nextRequest() {
  const pair = made++;
  const path = `/v1/tasks/${tasks[pair % tasks.length]}/tickets`;
  const { client, kid, key } = signers[Math.floor(pair / tasks.length) % signers.length];
  const claims = {
    ...{ sub: client, htm: 'POST', htu: `${endpoint}${path}`, digest },
    ...{ iat: Math.floor(Date.now() / 1000), jti: randomBytes(16).toString('base64url') },
  };
  const input = `${part({ alg: 'Ed25519', typ: 'tributary-proof+jwt', kid })}.${part(claims)}`;
  const authorization = `Tributary ${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`;
  return { method: 'POST' as const, path, body, headers: { host, authorization, 'content-type': 'application/json' } };
}

const answers: Answer[] = [];
const result = await autocannon({
  url: endpoint,
  connections,
  amount: requests,
  timeout: 60,
  requests: [
    {
      setupRequest: nextRequest,
      onResponse: (status, text, _context, headers) => {
        const { code, ticket, task, client } = JSON.parse(text);
        const given = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'retry-after');
        answers.push({ status, code, ticket, task, client, retryAfter: given && String(given[1]) });
      },
    },
  ],
});
const seconds = (result.finish.valueOf() - result.start.valueOf()) / 1000;
const { p50, p99, max } = result.latency;
const told: LoadResult = { seconds, answers, lost: requests - answers.length, p50Ms: p50, p99Ms: p99, mostMs: max };
process.send?.(told, () => process.disconnect());
