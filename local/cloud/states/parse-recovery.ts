import type { Catcher, Recovery, Retrier } from './definition.ts';
import { DefinitionError, Fields } from './fields.ts';
import { type Place, parseResult } from './parse-place.ts';

/** The error names that the States Language reserves. */
const reservedErrors = new Set(
  `ALL BranchFailed DataLimitExceeded ExceedToleratedFailureThreshold HeartbeatTimeout Http.Socket IntrinsicFailure
  ItemReaderFailed NoChoiceMatched ParameterPathFailure Permissions QueryEvaluationError ResultPathMatchFailure
  ResultWriterFailed Runtime TaskFailed Timeout`
    .split(/\s+/)
    .map((name) => `States.${name}`),
);

/** `Retry` and `Catch` of a Task, Parallel or Map. */
export function parseRecovery(fields: Fields, place: Place): Recovery {
  const retry = fields.has('Retry') ? fields.list('Retry') : [];
  const catchers = fields.has('Catch') ? fields.list('Catch') : [];
  return {
    retry: retry.map((value, i) => {
      return parseRetrier(new Fields(value, `${fields.at('Retry')}[${i}]`), i === retry.length - 1);
    }),
    catchers: catchers.map((value, i) => {
      return parseCatcher(new Fields(value, `${fields.at('Catch')}[${i}]`), place, i === catchers.length - 1);
    }),
  };
}

function parseRetrier(fields: Fields, last: boolean): Retrier {
  fields.optionalText('Comment');
  const retrier = {
    errorEquals: parseErrorEquals(fields, last),
    intervalSeconds: fields.optionalNumber('IntervalSeconds', { integer: true, min: 1 }) ?? 1,
    maxAttempts: fields.optionalNumber('MaxAttempts', { integer: true }) ?? 3,
    backoffRate: fields.optionalNumber('BackoffRate', { min: 1 }) ?? 2,
    maxDelaySeconds: fields.optionalNumber('MaxDelaySeconds', { integer: true, min: 1, max: 31_622_400 }),
    jitter: fields.has('JitterStrategy') && fields.word('JitterStrategy', ['FULL', 'NONE']) === 'FULL',
  };
  if (retrier.maxDelaySeconds !== undefined && retrier.maxDelaySeconds <= retrier.intervalSeconds) {
    throw new DefinitionError(fields.at('MaxDelaySeconds'), 'must be greater than IntervalSeconds');
  }
  fields.finish();
  return retrier;
}

function parseCatcher(fields: Fields, place: Place, last: boolean): Catcher {
  fields.optionalText('Comment');
  const catcher = {
    errorEquals: parseErrorEquals(fields, last),
    next: fields.text('Next'),
    ...parseResult(fields, place, ['input', 'errorOutput', 'context']),
  };
  fields.finish();
  return catcher;
}

function parseErrorEquals(fields: Fields, last: boolean): string[] {
  const path = fields.at('ErrorEquals');
  const names = fields.list('ErrorEquals').map((name, i) => {
    if (typeof name !== 'string' || name === '') throw new DefinitionError(`${path}[${i}]`, 'must be an error name');
    if (name.startsWith('States.') && !reservedErrors.has(name)) {
      throw new DefinitionError(`${path}[${i}]`, `is ${name}, which is not supported locally`);
    }
    return name;
  });
  if (names.includes('States.ALL') && (names.length > 1 || !last)) {
    throw new DefinitionError(path, 'may name States.ALL only alone and last');
  }
  return names;
}
