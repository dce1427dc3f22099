import { describe, expect, test } from 'vitest';
import { FlError } from '../../../shared/core/errors.ts';
import { problemOf } from '../../../shared/wire/problem.ts';

describe('the problem document', () => {
  test.each([
    ['request-malformed', 400],
    ['proof-malformed', 403],
    ['proof-forged', 403],
    ['proof-stale', 403],
    ['proof-foreign', 403],
    ['proof-digest', 403],
    ['client-revoked', 403],
    ['ticket-foreign', 403],
    ['task-unknown', 404],
    ['ticket-unknown', 404],
    ['client-unknown', 404],
    ['invitation-unknown', 404],
    ['ticket-used', 409],
    ['task-not-started', 409],
    ['invitation-used', 409],
    ['key-replaced', 409],
    ['keys-too-many', 409],
    ['task-ended', 410],
    ['ticket-expired', 410],
    ['invitation-expired', 410],
    ['update-too-large', 413],
    ['examples-too-many', 422],
    ['codec-refused', 422],
    ['statement-wrong', 422],
    ['cohort-full', 429],
    ['client-busy', 429],
    ['busy', 503],
  ])('of %s, which a client can cause, has status %i', (code, status) => {
    expect(problemOf(new FlError(code, 'what was found'))).toEqual({
      type: `urn:tributary:problem:${code}`,
      title: code.replaceAll('-', ' '),
      status,
      detail: 'what was found',
      code,
    });
  });

  test('of a fault of ours says nothing of its inside', () => {
    for (const error of [new Error('table x'), new FlError('manifest-malformed', 'secret'), 'text', undefined]) {
      expect(problemOf(error)).toMatchObject({ status: 500, code: 'internal' });
      expect(JSON.stringify(problemOf(error))).not.toMatch(/table x|secret/);
    }
  });
});
