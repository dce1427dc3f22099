import { expect, test } from 'vitest';
import { parsePresignedPut, parseTicket, parseTicketStatus, problemOf } from '../../client/typescript/answers.ts';
import { json, put, text, ticket } from './fake-server.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test.each<[string, object]>([
  ['ticket', { ticket: '../../etc' }],
  ['baseVersion', { baseVersion: -1 }],
  ['baseVersion', { baseVersion: 1.5 }],
  ['modelUrl', { modelUrl: 'file:///etc/passwd' }],
  ['modelUrl', { modelUrl: 'http://' }],
  ['package', { package: [] }],
  ['evaluate.onnx', { package: { 'train-step.onnx': {} } }],
  ['localEpochs', { plan: { ...ticket.plan, localEpochs: 0 } }],
  ['learningRate', { plan: { ...ticket.plan, learningRate: 'fast' } }],
  ['expiresAtMs', { expiresAtMs: null }],
])('names %s where a ticket has a wrong one', (field, wrong) => {
  expect(() => parseTicket(bytes({ ...ticket, ...wrong }))).toThrow(field);
});

test('a ticket says what the data is for, where the task does', () => {
  expect(parseTicket(bytes({ ...ticket, purpose: 'To read postcodes' })).purpose).toBe('To read postcodes');
  expect(parseTicket(bytes({ ...ticket, purpose: 7 }))).not.toHaveProperty('purpose');
});

test.each(['', 'null', '[]', '"ticket"', '<html>', '{"ticket":'])('refuses %j as a ticket', (content) => {
  expect(() => parseTicket(new TextEncoder().encode(content))).toThrow(/answer-malformed/);
});

test('refuses a presigned PUT with a header that is no string', () => {
  expect(() => parsePresignedPut(bytes({ ...put, headers: { 'content-length': 5 } }))).toThrow(
    /headers\.content-length/,
  );
});

test('refuses a ticket state that it does not know', () => {
  const status = { ticket: ticket.ticket, task: 'task', state: 'lost', baseVersion: 0 };
  expect(() => parseTicketStatus(bytes(status))).toThrow(/state/);
});

test('takes code, detail and pause from a problem document of ours', () => {
  const problem = { code: 'cohort-full', detail: 'all clients taken', retryAfterMs: 250, status: 429 };
  expect(problemOf(json(429, problem), 'no ticket')).toMatchObject({
    code: 'cohort-full',
    message: '[cohort-full] no ticket: all clients taken',
    retry: 'now',
    retryAfterMs: 250,
  });
});

test.each<[string, number, string, string, RegExp]>([
  ['a problem document without a code', 400, '{"title":"Bad","status":400}', 'http-400', /Bad/],
  ['a code that is not one', 400, '{"code":"Drop table\\u0000","detail":"x"}', 'http-400', /x/],
  ["API Gateway's own answer", 403, '{"message":"Forbidden"}', 'http-403', /Forbidden/],
  [
    "S3's XML",
    403,
    '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>',
    'http-403',
    /expired/,
  ],
  ["a proxy's page", 502, '<html><h1>Bad Gateway</h1></html>', 'http-502', /Bad Gateway/],
  ['nothing', 500, '', 'http-500', /HTTP 500/],
])('makes an error of %s', (_, status, body, code, message) => {
  const error = problemOf(text(status, body), 'asking');
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
});

test('honours Retry-After in seconds, and no pause longer than a day', () => {
  expect(problemOf(text(503, '', { 'retry-after': '7' }), 'x').retryAfterMs).toBe(7_000);
  expect(problemOf(json(429, { retryAfterMs: 1e15 }), 'x').retryAfterMs).toBe(24 * 3600 * 1000);
  expect(problemOf(json(429, { retryAfterMs: -5 }), 'x').retryAfterMs).toBeUndefined();
  expect(
    problemOf(text(503, '', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }), 'x').retryAfterMs,
  ).toBeUndefined();
});
