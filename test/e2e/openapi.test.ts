import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TributaryClient } from '../../client/typescript/client.ts';
import { enrol } from '../../client/typescript/enrol.ts';
import { memoryKeys } from '../../client/typescript/key-store.ts';
import { fetchTransport, type Transport } from '../../client/typescript/transport.ts';
import { OperatorApi } from '../../local/cli/operator-api.ts';
import type { ClientKey } from '../../shared/wire/identity/keys.ts';
import { signStatement } from '../../shared/wire/identity/sign.ts';
import { type RouteName, routes } from '../../shared/wire/routes.ts';
import { answerFault } from '../local/openapi/api-document.ts';
import { call, signedCall } from './call.ts';
import { createSmallTask, freshAssembly, type RunningFederation, startFederation } from './small-federation.ts';

/** Every answer of a federation's life, compared with docs/openapi.json. */

let federation: RunningFederation;
let operator: OperatorApi;
const seen = new Set<string>();
const faults: string[] = [];

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: unknown;
}

/** Compares an answer with the document, under the route that its request went to. */
function check(method: string, url: string, answer: Answer): void {
  const path = url.slice(federation.endpoint.length).replace(/\?.*/, '');
  const route = (Object.keys(routes) as RouteName[]).find((name) =>
    new RegExp(`^${routes[name].replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(`${method} ${path}`),
  );
  if (!route) throw new Error(`no route ${method} ${path}`);
  const { code } = { code: undefined, ...(answer.body as object) };
  seen.add(`${route} ${answer.status}${code ? ` ${code}` : ''}`);
  const fault = answerFault(route, answer);
  if (fault) faults.push(fault);
}

const checking: Transport = async (request) => {
  const response = await fetchTransport(request);
  if (request.url.startsWith(federation.endpoint)) {
    const body: unknown = JSON.parse(new TextDecoder().decode(response.body));
    check(request.method, request.url, { status: response.status, type: response.headers['content-type'], body });
  }
  return response;
};

/** A request by hand: what no client of ours would send. */
async function send(method: string, path: string, { key, body }: { key?: ClientKey; body?: unknown } = {}) {
  const { endpoint } = federation;
  const answer = key
    ? await signedCall(endpoint, key, method, path, body)
    : await call(endpoint, method, path, { body });
  check(method, `${endpoint}${path}`, answer);
  return answer;
}

beforeAll(async () => {
  federation = await startFederation(await freshAssembly());
  const { credentials } = federation.cloud;
  const access = { url: federation.endpoint, region: credentials.region, credentials: async () => credentials };
  operator = new OperatorApi(access, checking);
});
afterAll(() => federation?.close());

async function enrolled(name: string): Promise<TributaryClient> {
  const [{ code }] = (await operator.invite({ clients: [name] })).invitations;
  const keys = memoryKeys();
  const { endpoint } = federation;
  const identity = await enrol({ endpoint, client: name, code, keys, transport: checking });
  return new TributaryClient({ endpoint, identity, keys, transport: checking, retry: { attempts: 3 } });
}

const train = {
  train: async ({ params }: { params: { values: Float32Array } }) => ({
    params: params.values.map((v) => v + 1),
    examples: 10,
  }),
};

test('a federation answers what the document says, from the invitation to the erasure', async () => {
  await operator.tasks();
  await createSmallTask(operator, { task: 'short', round: { buffer: 1 }, stop: { rounds: 1 } });
  await createSmallTask(operator, { task: 'long', purpose: 'research', round: { buffer: 1 }, maxExamples: 100 });
  await expect(createSmallTask(operator, { task: 'long', round: { buffer: 2 } })).rejects.toThrow(/already/);

  const alice = await enrolled('alice');
  const bob = await enrolled('bob');
  await alice.participate('short', train);
  await alice.participate('long', { ...train, maxUpdates: 1, awaitOutcome: true });
  const answer = await alice.requestTicket('long');
  if (answer.kind !== 'issued') throw new Error(answer.reason);
  const { ticket, baseVersion } = answer.ticket;
  await expect(alice.requestTicket('long')).resolves.toMatchObject({ kind: 'issued', ticket: { ticket } });
  await expect(bob.ticketStatus(ticket)).rejects.toMatchObject({ code: 'ticket-foreign' });
  await expect(bob.requestTicket('missing')).rejects.toMatchObject({ code: 'task-unknown' });

  const key = alice.identity;
  const upload = `/v1/tickets/${ticket}/upload`;
  const sha256 = createHash('sha256').digest('hex');
  const declared = async (bytes: number, examples: number) => {
    const said = { sub: 'alice', task: 'long', ticket, baseVersion, bytes, sha256, examples };
    return { bytes, sha256, examples, statement: await signStatement(key, said) };
  };
  await send('POST', upload, { key, body: { bytes: 0 } });
  await send('POST', upload, { key, body: await declared(2_000_000, 10) });
  await send('POST', upload, { key, body: await declared(300, 1_000) });
  await send('POST', upload, { key, body: { ...(await declared(300, 10)), statement: 'a.b.c' } });
  expect((await send('POST', upload, { key, body: await declared(300, 10) })).status).toBe(200);
  await send('POST', upload, { key, body: await declared(300, 11) });
  await expect(alice.requestTicket('long')).resolves.toMatchObject({ kind: 'wait' });
  await send('POST', '/v1/tasks/long/tickets', { body: {} });
  await send('POST', '/v1/tasks/long/tickets', { key: { ...key, client: 'bob' as ClientKey['client'] }, body: {} });
  await send('GET', `/v1/tickets/${'x'.repeat(43)}`, { key });
  await send('GET', '/v1/tasks');
  const code = 'c'.repeat(43);
  await send('POST', '/v1/enrolments', { key, body: { code, client: 'alice', publicKey: key.publicKey } });
  await send('POST', '/v1/enrolments', { body: { code, client: 'alice', publicKey: key.publicKey } });

  await alice.rotateKey();
  await federation.cloud.idle();
  await operator.task('short');
  await operator.task('long');
  await operator.versions('long');
  await operator.version('long', 1);
  await expect(operator.version('long', 99)).rejects.toMatchObject({ code: 'version-unknown' });
  await operator.sealKey();
  await operator.rollback('long', 0);
  await operator.stopTask('long');
  await expect(operator.startTask('short')).rejects.toMatchObject({ code: 'task-ended' });
  await operator.clients();
  await operator.client('alice');
  await operator.revoke('bob', 'lost');
  await operator.erase('alice');
  await operator.deadLetters();
  await operator.redriveDeadLetters({ all: true });
  await operator.dropDeadLetters({ messages: ['6b9f0f1e'] });
  await expect(operator.client('nobody')).rejects.toMatchObject({ code: 'client-unknown' });
  await expect(bob.requestTicket('long')).rejects.toMatchObject({ code: 'identity-refused' });

  expect(faults).toEqual([]);
  const answeredWell = new Set([...seen].filter((each) => / 20[01]$/.test(each)).map((each) => each.split(' ')[0]));
  expect([...answeredWell].sort()).toEqual(Object.keys(routes).sort());
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'createTask 409 task-exists',
      'startTask 410 task-ended',
      'showVersion 404 version-unknown',
      'showClient 404 client-unknown',
      'listTasks 403',
      'issueTicket 401',
      'issueTicket 403',
      'issueTicket 404 task-unknown',
      'issueTicket 410 task-ended',
      'issueTicket 429 client-busy',
      'openUpload 400 request-malformed',
      'openUpload 409 ticket-used',
      'openUpload 413 update-too-large',
      'openUpload 422 examples-too-many',
      'openUpload 422 statement-wrong',
      'ticketStatus 403 ticket-foreign',
      'ticketStatus 404 ticket-unknown',
      'enrol 403 proof-malformed',
      'enrol 404 invitation-unknown',
    ]),
  );
});
