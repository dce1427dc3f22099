import type { Codec } from '../../shared/core/codec/codec.ts';
import { FlError } from '../../shared/core/errors.ts';
import { ticketIdPattern } from '../../shared/core/names.ts';
import type { ClientArtifact, PresignedPut, TicketResponse, TicketStatusResponse } from '../../shared/wire/api.ts';
import type { TransportResponse } from './transport.ts';
import { codecOf, plainCodec } from './update-codec.ts';

/** What the server answered, checked by hand: a schema library would be most of what a browser has to load. */

type Json = Readonly<Record<string, unknown>>;

const artifacts: readonly ClientArtifact[] = ['evaluate.onnx', 'train-step.onnx', 'train-epoch.onnx'];
const states = ['issued', 'uploading', 'admitted', 'aggregated', 'quarantined', 'expired'] as const;

/** The longest pause that a server can ask of a client. */
const longestPauseMs = 24 * 3600 * 1000;

/** The error that an answer of 400 or more stands for; `retry` is `now` for 429 and 5xx, otherwise `never`. */
export function problemOf({ status, headers, body }: TransportResponse, what: string): FlError {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  const problem = parseObject(text);
  const code = problem?.code;
  const detail = problem?.detail ?? problem?.title ?? problem?.message;
  return new FlError(
    typeof code === 'string' && /^[a-z][a-z0-9-]{0,63}$/.test(code) ? code : `http-${status}`,
    `${what}: ${typeof detail === 'string' && detail !== '' ? detail.slice(0, 500) : `HTTP ${status} ${xmlMessage(text)}`.trim()}`,
    { retry: status === 429 || status >= 500 ? 'now' : 'never', retryAfterMs: pauseOf(problem, headers) },
  );
}

/** True if S3 says that a presigned URL is too old. */
export function hasRunOut({ status, body }: TransportResponse): boolean {
  return status === 403 && new TextDecoder().decode(body.subarray(0, 4096)).includes('Request has expired');
}

/** @throws {FlError} `answer-malformed`, naming the field */
export function parseTicket(body: Uint8Array): TicketResponse {
  const answer = objectOf(body, 'the ticket');
  const plan = objectAt(answer, 'plan');
  const files = objectAt(answer, 'package');
  return {
    ticket: matching(answer, 'ticket', ticketIdPattern),
    task: matching(answer, 'task', /./),
    client: matching(answer, 'client', /./),
    baseVersion: integerAt(answer, 'baseVersion', 0),
    modelUrl: urlAt(answer, 'modelUrl'),
    package: fromEntries(
      artifacts.map((name) => {
        const file = objectAt(files, name);
        return [
          name,
          {
            url: urlAt(file, 'url'),
            bytes: integerAt(file, 'bytes', 1),
            sha256: matching(file, 'sha256', /^[0-9a-f]{64}$/),
          },
        ];
      }),
    ),
    plan: {
      localEpochs: integerAt(plan, 'localEpochs', 1),
      batchSize: integerAt(plan, 'batchSize', 1),
      learningRate: positiveAt(plan, 'learningRate'),
      seed: integerAt(plan, 'seed', 0),
    },
    codec: codecAt(answer),
    ...(answer.deltas === undefined ? {} : { deltas: deltasAt(answer) }),
    expiresAtMs: integerAt(answer, 'expiresAtMs', 0),
  };
}

/** A codec that this client does not know is no error: an update in plain float32 is always taken. */
function codecAt(answer: Json): Codec {
  return (answer.codec === undefined ? undefined : codecOf(objectAt(answer, 'codec'))) ?? plainCodec;
}

function deltasAt(answer: Json): { version: number; urls: string[] }[] {
  if (!Array.isArray(answer.deltas)) throw malformed('deltas', 'a list', answer.deltas);
  return answer.deltas.map((delta: unknown) => {
    if (!isObject(delta) || !Array.isArray(delta.urls)) throw malformed('deltas', 'a list of versions and urls', delta);
    const urls = delta.urls.map((url: unknown) => urlAt({ url }, 'url'));
    return { version: integerAt(delta, 'version', 1), urls };
  });
}

/** @throws {FlError} `answer-malformed`, naming the field */
export function parsePresignedPut(body: Uint8Array): PresignedPut {
  const answer = objectOf(body, 'the upload');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(objectAt(answer, 'headers'))) {
    if (typeof value !== 'string') throw malformed(`headers.${name}`, 'a string', value);
    headers[name] = value;
  }
  return { url: urlAt(answer, 'url'), headers, expiresAtMs: integerAt(answer, 'expiresAtMs', 0) };
}

/** @throws {FlError} `answer-malformed`, naming the field */
export function parseTicketStatus(body: Uint8Array): TicketStatusResponse {
  const answer = objectOf(body, 'the ticket status');
  const state = states.find((known) => known === answer.state);
  if (!state) throw malformed('state', states.join(', '), answer.state);
  return {
    ticket: matching(answer, 'ticket', ticketIdPattern),
    task: matching(answer, 'task', /./),
    state,
    baseVersion: integerAt(answer, 'baseVersion', 0),
    ...(answer.reason === undefined ? {} : { reason: matching(answer, 'reason', /^/) }),
    ...(answer.version === undefined ? {} : { version: integerAt(answer, 'version', 0) }),
  };
}

function fromEntries<K extends string, V>(entries: readonly (readonly [K, V])[]): Record<K, V> {
  // Object.fromEntries forgets the literal keys.
  return Object.fromEntries(entries) as Record<K, V>;
}

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(body: Uint8Array, what: string): Json {
  const answer = parseObject(new TextDecoder().decode(body));
  if (!answer) throw malformed(what, 'a JSON object', new TextDecoder().decode(body.subarray(0, 80)));
  return answer;
}

function objectAt(answer: Json, field: string): Json {
  const value = answer[field];
  if (!isObject(value)) throw malformed(field, 'an object', value);
  return value;
}

function integerAt(answer: Json, field: string, min: number): number {
  const value = answer[field];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
    throw malformed(field, `an integer >= ${min}`, value);
  }
  return value;
}

function positiveAt(answer: Json, field: string): number {
  const value = answer[field];
  if (typeof value !== 'number' || !(value > 0) || value === Number.POSITIVE_INFINITY) {
    throw malformed(field, 'a positive number', value);
  }
  return value;
}

function matching(answer: Json, field: string, pattern: RegExp): string {
  const value = answer[field];
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(field, `a string like ${pattern}`, value);
  return value;
}

function urlAt(answer: Json, field: string): string {
  const value = answer[field];
  if (typeof value !== 'string' || !/^https?:\/\//.test(value) || !URL.canParse(value)) {
    throw malformed(field, 'an http or https URL', value);
  }
  return value;
}

function pauseOf(problem: Json | undefined, headers: Readonly<Record<string, string>>): number | undefined {
  const seconds = Number(headers['retry-after'] ?? Number.NaN);
  const asked = typeof problem?.retryAfterMs === 'number' ? problem.retryAfterMs : seconds * 1000;
  return asked >= 0 ? Math.min(asked, longestPauseMs) : undefined;
}

/** S3 answers in XML: its `<Message>`, or the start of whatever came. */
function xmlMessage(text: string): string {
  return (/<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? text.replaceAll(/\s+/g, ' ')).slice(0, 200);
}

function malformed(field: string, expected: string, found: unknown): FlError {
  const shown = JSON.stringify(found) ?? 'nothing';
  return new FlError(
    'answer-malformed',
    `the server's answer: ${field}: expected ${expected}, got ${shown.slice(0, 100)}`,
  );
}
