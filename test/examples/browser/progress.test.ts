import { expect, test } from 'vitest';
import type { FromWorker } from '../../../examples/browser/messages.ts';
import { advance, nothingYet, startOf } from '../../../examples/browser/page/progress.ts';

const ticket = 'T'.repeat(43);
const event = (told: Extract<FromWorker, { kind: 'event' }>['event']): FromWorker => ({ kind: 'event', event: told });
const after = (...messages: readonly FromWorker[]) => messages.reduce(advance, startOf(nothingYet));

test('one update from start to end', () => {
  const metrics = { accuracy: 0.5, trainLoss: 1 };
  const done = after(
    { kind: 'enrolling' },
    { kind: 'ready', compute: 'wasm' },
    event({ kind: 'ticket', ticket, baseVersion: 3, expiresAtMs: 9 }),
    event({ kind: 'downloaded', baseVersion: 3, bytes: 1_000 }),
    { kind: 'progress', stepsDone: 1, stepsTotal: 4 },
    event({ kind: 'trained', ticket, examples: 40, metrics }),
    event({ kind: 'uploaded', ticket, baseVersion: 3, bytes: 200 }),
  );
  expect(done).toEqual({
    phase: 'waiting',
    compute: 'wasm',
    version: 3,
    done: 0,
    examples: 40,
    updates: 1,
    downBytes: 1_000,
    upBytes: 200,
    history: [{ version: 3, accuracy: 0.5 }],
    note: undefined,
    asked: undefined,
  });
});

test('training shows its share', () => {
  expect(after({ kind: 'progress', stepsDone: 1, stepsTotal: 4 })).toMatchObject({ phase: 'training', done: 0.25 });
});

test('what a visit before gave is added to', () => {
  const before = { updates: 5, downBytes: 10, upBytes: 20, history: [{ version: 1, accuracy: 0.1 }] };
  const resumed = event({ kind: 'resumed', ticket, baseVersion: 2 });
  const uploaded = event({ kind: 'uploaded', ticket, baseVersion: 2, bytes: 7 });
  const progress = [resumed, uploaded].reduce(advance, startOf(before));
  expect(progress).toMatchObject({ updates: 6, downBytes: 10, upBytes: 27, version: 2 });
});

test('a version that is measured twice is one point, and 200 points are kept', () => {
  const measured = (version: number, accuracy: number): FromWorker[] => [
    event({ kind: 'ticket', ticket, baseVersion: version, expiresAtMs: 9 }),
    event({ kind: 'trained', ticket, examples: 1, metrics: { accuracy } }),
  ];
  expect(after(...measured(1, 0.3), ...measured(1, 0.4)).history).toEqual([{ version: 1, accuracy: 0.4 }]);
  const many = Array.from({ length: 250 }, (_, version) => measured(version, 0.5)).flat();
  const { history } = many.reduce(advance, startOf(nothingYet));
  expect([history.length, history[0].version]).toEqual([200, 50]);
});

test('reasons and questions are gone with the next message', () => {
  const waiting = after(event({ kind: 'waiting', ms: 5, code: 'cohort-full', reason: 'full' }));
  expect(waiting.note).toEqual({ code: 'cohort-full', text: 'full' });
  expect(advance(waiting, { kind: 'progress', stepsDone: 1, stepsTotal: 2 }).note).toBeUndefined();
  const asked = after({ kind: 'purpose', purpose: undefined });
  expect(asked).toMatchObject({ phase: 'asking', asked: { purpose: undefined } });
  expect(advance(asked, { kind: 'progress', stepsDone: 1, stepsTotal: 2 }).asked).toBeUndefined();
});
