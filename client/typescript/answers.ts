import type { Codec } from '../../shared/core/codec/codec.ts';
import { FlError } from '../../shared/core/errors.ts';
import { ticketIdPattern } from '../../shared/core/names.ts';
import { shown } from '../../shared/core/shown.ts';
import type {
  ClientArtifact,
  PresignedGet,
  PresignedPut,
  TicketResponse,
  TicketStatusResponse,
} from '../../shared/wire/api.ts';
import { parseStrictJson } from '../../shared/wire/strict-json.ts';
import type { TransportResponse } from './transport.ts';
import { codecOf, plainCodec } from './update-codec.ts';

/** What the server answered, checked by hand: a schema library would be most of what a browser has to load. */

type Json = Readonly<Record<string, unknown>>;

const artifacts: readonly ClientArtifact[] = ['evaluate.onnx', 'train-step.onnx', 'train-epoch.onnx'];
const states = ['issued', 'uploading', 'admitted', 'aggregated', 'quarantined', 'expired'] as const;

/** RFC 9110, section 5: others would make the platform's fetch fail, and the client try again. */
const headerName = /^[!#$%&'*+.^_`|~\w-]{1,200}$/;
const headerValue = /^[\t\x20-\x7e]*$/;

/** What the server itself allows: a task that asks for more is none. */
const most = {
  epochs: 1_000,
  batch: 1_000_000,
  learningRate: 1_000,
  seed: 0xffff_ffff,
  fileBytes: 5_000_000_000,
  files: 10_000,
};

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

/** True if S3 says that a presigned URL, or the session of the function that signed it, is too old. */
export function hasRunOut({ status, body }: TransportResponse): boolean {
  const text = new TextDecoder().decode(body.subarray(0, 4096));
  return status === 403 && /Request has expired|<Code>ExpiredToken</.test(text);
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
    package: {
      ...fromEntries(artifacts.map((name) => [name, fileAt(files, name)])),
      ...(files['encoding.json'] === undefined ? {} : { 'encoding.json': fileAt(files, 'encoding.json') }),
    },
    ...(typeof answer.purpose === 'string' && { purpose: answer.purpose }),
    plan: {
      localEpochs: integerAt(plan, 'localEpochs', 1, most.epochs),
      batchSize: integerAt(plan, 'batchSize', 1, most.batch),
      learningRate: positiveAt(plan, 'learningRate', most.learningRate),
      seed: integerAt(plan, 'seed', 0, most.seed),
    },
    codec: codecAt(answer),
    ...(answer.deltas === undefined ? {} : { deltas: deltasAt(answer) }),
    expiresAtMs: integerAt(answer, 'expiresAtMs', 0),
  };
}

function fileAt(files: Json, name: string): PresignedGet {
  const file = objectAt(files, name);
  return {
    url: urlAt(file, 'url'),
    bytes: integerAt(file, 'bytes', 1, most.fileBytes),
    sha256: matching(file, 'sha256', /^[0-9a-f]{64}$/),
  };
}

/** A codec that this client does not know is no error: an update in plain float32 is always taken. */
function codecAt(answer: Json): Codec {
  return (answer.codec === undefined ? undefined : codecOf(objectAt(answer, 'codec'))) ?? plainCodec;
}

function deltasAt(answer: Json): { version: number; urls: string[] }[] {
  if (!Array.isArray(answer.deltas)) throw malformed('deltas', 'a list', answer.deltas);
  if (answer.deltas.flatMap((delta: unknown) => (isObject(delta) ? delta.urls : [])).length > most.files) {
    throw malformed('deltas', `at most ${most.files} files`, answer.deltas);
  }
  return answer.deltas.map((delta: unknown) => {
    if (!isObject(delta) || !Array.isArray(delta.urls)) throw malformed('deltas', 'a list of versions and urls', delta);
    const urls = delta.urls.map((url: unknown) => urlAt({ url }, 'url'));
    return { version: integerAt(delta, 'version', 1), urls };
  });
}

/** @throws {FlError} `answer-malformed`, naming the field */
export function parsePresignedPut(body: Uint8Array): PresignedPut {
  const answer = objectOf(body, 'the upload');
  const headers = Object.entries(objectAt(answer, 'headers')).map(([name, value]) => {
    if (!headerName.test(name)) throw malformed('headers', 'names of HTTP headers', name);
    if (typeof value !== 'string' || !headerValue.test(value)) throw malformed(`headers.${name}`, 'ASCII text', value);
    return [name, value] as const;
  });
  return {
    url: urlAt(answer, 'url'),
    headers: Object.fromEntries(headers),
    expiresAtMs: integerAt(answer, 'expiresAtMs', 0),
  };
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

function parseObject(json: string | Uint8Array): Json | undefined {
  try {
    const value = parseStrictJson(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectOf(body: Uint8Array, what: string): Json {
  const answer = parseObject(body);
  if (!answer) throw malformed(what, 'a JSON object', new TextDecoder().decode(body.subarray(0, 80)));
  return answer;
}

function objectAt(answer: Json, field: string): Json {
  const value = answer[field];
  if (!isObject(value)) throw malformed(field, 'an object', value);
  return value;
}

function integerAt(answer: Json, field: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = answer[field];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw malformed(field, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

function positiveAt(answer: Json, field: string, max: number): number {
  const value = answer[field];
  if (typeof value !== 'number' || !(value > 0 && value <= max)) {
    throw malformed(field, `a positive number up to ${max}`, value);
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
  const got = found === undefined ? 'nothing' : shown(found);
  return new FlError('answer-malformed', `the server's answer: ${field}: expected ${expected}, got ${got}`);
}
