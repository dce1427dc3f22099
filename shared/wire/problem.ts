import { FlError } from '../core/errors.ts';
import type { Problem } from './api.ts';

/** The HTTP status of each error that the API gives on purpose; whatever is not here is a fault of ours: 500. */
export const problemStatuses = {
  'request-malformed': 400,
  'update-too-large': 413,
  'examples-too-many': 422,
  'task-unknown': 404,
  'version-unknown': 404,
  'ticket-unknown': 404,
  'route-unknown': 404,
  'client-unknown': 404,
  'invitation-unknown': 404,
  'ticket-foreign': 403,
  'client-revoked': 403,
  'proof-malformed': 403,
  'proof-forged': 403,
  'proof-stale': 403,
  'proof-foreign': 403,
  'proof-digest': 403,
  'task-exists': 409,
  'task-not-started': 409,
  'artifact-missing': 409,
  'ticket-used': 409,
  'invitation-used': 409,
  'key-replaced': 409,
  'keys-too-many': 409,
  'task-ended': 410,
  'ticket-expired': 410,
  'invitation-expired': 410,
  'codec-refused': 422,
  'statement-wrong': 422,
  'safetensors-malformed': 422,
  'non-finite': 422,
  'cohort-full': 429,
  'client-busy': 429,
  'client-paced': 429,
  'client-too-fast': 429,
  busy: 503,
} as const;
export type ProblemCode = keyof typeof problemStatuses;

const statusOf: Readonly<Record<string, number>> = problemStatuses;

/** The RFC 9457 problem document of an error. What is not an `FlError` says nothing of its inside. */
export function problemOf(error: unknown): Problem {
  const status = error instanceof FlError ? statusOf[error.code] : undefined;
  if (!(error instanceof FlError) || status === undefined) {
    return {
      type: 'urn:tributary:problem:internal',
      title: 'internal',
      status: 500,
      detail: 'something went wrong on our side; the log has the details under this request id',
      code: 'internal',
    };
  }
  return {
    type: `urn:tributary:problem:${error.code}`,
    title: error.code.replaceAll('-', ' '),
    status,
    detail: error.message.replace(/^\[[^\]]+\] /, ''),
    code: error.code,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}
