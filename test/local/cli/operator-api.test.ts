import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Transport, TransportRequest } from '../../../client/typescript/transport.ts';
import { OperatorApi } from '../../../local/cli/operator-api.ts';
import { json, problem } from '../../client/fake-server.ts';

const endpoint = {
  url: 'https://abc.execute-api.eu-west-1.amazonaws.com',
  region: 'eu-west-1',
  credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' }),
};

function apiWith(...answers: Awaited<ReturnType<Transport>>[]): { api: OperatorApi; requests: TransportRequest[] } {
  const requests: TransportRequest[] = [];
  const transport: Transport = async (request) => {
    requests.push(request);
    return answers.shift() ?? json(200, {});
  };
  return { api: new OperatorApi(endpoint, transport), requests };
}

/** Signature Version 4 as the AWS General Reference describes it, written down a second time. */
function signatureOf({ method, url, headers = {}, body }: TransportRequest): string {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const [, scope, signed] = /Credential=AKID\/(\S+), SignedHeaders=(\S+),/.exec(lower.authorization) ?? [];
  const sha = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const canonical = [
    method,
    new URL(url).pathname,
    '',
    ...signed.split(';').map((name) => `${name}:${lower[name]}`),
    '',
    signed,
    sha(body ?? ''),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', lower['x-amz-date'], scope, sha(canonical)].join('\n');
  const [date, region, service] = scope.split('/');
  const key = hmac(hmac(hmac(hmac('AWS4secret', date), region), service), 'aws4_request');
  return hmac(key, text).toString('hex');
}

test.each<[string, (api: OperatorApi) => Promise<unknown>]>([
  ['a GET', (api) => api.task('digits')],
  ['a POST', (api) => api.rollback('digits', 3)],
])('signs %s for execute-api in the region of the endpoint', async (_, call) => {
  const { api, requests } = apiWith();
  await call(api);
  const [request] = requests;
  const authorization = request.headers?.authorization ?? '';
  expect(authorization).toMatch(/\/eu-west-1\/execute-api\/aws4_request/);
  expect(authorization).toMatch(/SignedHeaders=[^,]*host[^,]*x-amz-date[^,]*x-amz-security-token/);
  expect(authorization.split('Signature=')[1]).toBe(signatureOf(request));
});

test('gives the code of a problem document', async () => {
  const { api } = apiWith(problem(404, 'task-unknown'));
  await expect(api.task('none')).rejects.toMatchObject({ code: 'task-unknown' });
});

test('says what is wrong where credentials are refused', async () => {
  const { api } = apiWith(json(403, { message: 'Forbidden' }));
  await expect(api.tasks()).rejects.toThrow(/http-403.*GET \/v1\/tasks.*Forbidden/);
});

test('names the host that does not answer', async () => {
  const api = new OperatorApi({ ...endpoint, url: 'http://127.0.0.1:1' });
  const stop = new AbortController();
  const asking = api.tasks(stop.signal);
  setTimeout(() => stop.abort(new Error('enough')), 50);
  await expect(asking).rejects.toThrow(/127\.0\.0\.1:1|enough/);
});

test('lists all clients, page after page, with the place in the signed query', async () => {
  const client = { client: 'ann', state: 'active', enrolledAtMs: 0, keys: [] };
  const { api, requests } = apiWith(
    json(200, { clients: [client], next: 'ann' }),
    json(200, { clients: [{ ...client, client: 'bob' }] }),
  );
  expect((await api.clients()).map((each) => each.client)).toEqual(['ann', 'bob']);
  expect(requests.map(({ url }) => url.replace(endpoint.url, ''))).toEqual(['/v1/clients', '/v1/clients?after=ann']);
});
