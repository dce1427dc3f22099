import { beforeEach, describe, expect, test } from 'vitest';
import { FlError } from '../../../shared/core/errors.ts';
import {
  dropDeadLetters,
  listDeadLetters,
  noteFailure,
  redriveDeadLetters,
} from '../../../shared/orchestrator/dead-letters.ts';
import type { ArrivalFailure, DeadLetterQueue, FailureStore, HeldLetter } from '../../../shared/ports/dead-letters.ts';

const ticket = 'T'.repeat(43);
const upload = JSON.stringify({
  Records: [
    {
      eventName: 'ObjectCreated:Put',
      s3: { object: { key: `updates/digits/${ticket}.safetensors`, size: 10, eTag: 'e' } },
    },
  ],
});
const deadline = JSON.stringify({ kind: 'deadline', task: 'digits', atMs: 4 });

/** A queue that hides what is held, as SQS does, and gives at most two at once. */
class MemoryDeadLetters implements DeadLetterQueue {
  readonly messages = new Map<string, HeldLetter>();
  readonly held = new Set<string>();
  readonly arrivals: string[] = [];
  refused = new Set<string>();
  onTake = () => {};

  add(id: string, body: string, sentAtMs = 0): void {
    this.messages.set(id, { id, body, sentAtMs, receipt: `${id}-receipt` });
  }

  async take() {
    this.onTake();
    const batch = [...this.messages.values()].filter(({ id }) => !this.held.has(id)).slice(0, 2);
    for (const { id } of batch) this.held.add(id);
    return batch;
  }

  async putBack(letters: readonly HeldLetter[]) {
    for (const { id } of letters) this.held.delete(id);
  }

  async resend(letters: readonly HeldLetter[]) {
    const sent = letters.filter(({ id }) => !this.refused.has(id));
    this.arrivals.push(...sent.map(({ body }) => body));
    return sent;
  }

  async remove(letters: readonly HeldLetter[]) {
    for (const { id } of letters) {
      this.messages.delete(id);
      this.held.delete(id);
    }
  }

  async depth() {
    return this.messages.size;
  }
}

class MemoryFailures implements FailureStore {
  readonly #noted = new Map<string, ArrivalFailure & { firstAtMs: number }>();

  async note(message: string, failure: ArrivalFailure) {
    this.#noted.set(message, { firstAtMs: this.#noted.get(message)?.firstAtMs ?? failure.atMs, ...failure });
  }

  async failureOf(message: string) {
    return this.#noted.get(message);
  }
}

let letters: MemoryDeadLetters;
let failures: MemoryFailures;
let nowMs: number;
const ports = () => ({ letters, failures, clock: { now: () => nowMs } });

beforeEach(() => {
  letters = new MemoryDeadLetters();
  failures = new MemoryFailures();
  nowMs = 1_000;
});

describe('the list of dead letters', () => {
  test('says what each was for and why its last try failed, oldest first, and leaves all where they are', async () => {
    letters.add('b', deadline, 20);
    letters.add('a', upload, 10);
    letters.add('c', 'rubbish', 30);
    await noteFailure(ports(), { message: 'a', tries: 1 }, new FlError('busy', 'too many writers'));
    nowMs = 5_000;
    const denied = Object.assign(new Error('not authorized to perform: dynamodb:PutItem'), {
      name: 'AccessDeniedException',
    });
    await noteFailure(ports(), { message: 'a', tries: 5 }, denied);
    const { deadLetters, total } = await listDeadLetters(ports());
    expect(total).toBe(3);
    expect(deadLetters).toEqual([
      {
        id: 'a',
        kind: 'upload',
        task: 'digits',
        ticket,
        sentAtMs: 10,
        firstFailedAtMs: 1_000,
        lastFailedAtMs: 5_000,
        tries: 5,
        reason: 'AccessDeniedException',
        detail: 'not authorized to perform: dynamodb:PutItem',
        body: upload,
      },
      {
        id: 'b',
        kind: 'deadline',
        task: 'digits',
        sentAtMs: 20,
        reason: 'not-recorded',
        detail: expect.stringContaining('killed'),
        body: deadline,
      },
      {
        id: 'c',
        kind: 'unreadable',
        sentAtMs: 30,
        reason: 'not-recorded',
        detail: expect.any(String),
        body: 'rubbish',
      },
    ]);
    expect(letters.held.size).toBe(0);
    expect(letters.messages.size).toBe(3);
  });

  test('ends at a hundred, cuts long bodies, and tells how many there are', async () => {
    for (let i = 0; i < 150; i++) letters.add(`m${i}`, 'x'.repeat(5_000), i);
    const { deadLetters, total } = await listDeadLetters(ports());
    expect(deadLetters).toHaveLength(100);
    expect(deadLetters[0].body).toHaveLength(1_000);
    expect(total).toBe(150);
    expect(letters.held.size).toBe(0);
  });
});

describe('a redrive', () => {
  test('of one message sends it alone, and puts back those that were in the way', async () => {
    for (const id of ['a', 'b', 'c', 'd']) letters.add(id, `body of ${id}`);
    expect(await redriveDeadLetters(ports(), { messages: ['c', 'gone'] })).toEqual({
      moved: ['c'],
      missing: ['gone'],
      more: false,
    });
    expect(letters.arrivals).toEqual(['body of c']);
    expect([...letters.messages.keys()]).toEqual(['a', 'b', 'd']);
    expect(letters.held.size).toBe(0);
  });

  test('of all empties the queue; what the arrivals queue refuses stays', async () => {
    for (const id of ['a', 'b', 'c']) letters.add(id, `body of ${id}`);
    letters.refused = new Set(['b']);
    expect(await redriveDeadLetters(ports(), { all: true })).toEqual({ moved: ['a', 'c'], missing: [], more: false });
    expect([...letters.messages.keys()]).toEqual(['b']);
    expect(letters.held.size).toBe(0);
  });

  test('that runs out of time says that there is more', async () => {
    for (const id of ['a', 'b', 'c', 'd']) letters.add(id, `body of ${id}`);
    letters.onTake = () => {
      nowMs += 15_000;
    };
    expect(await redriveDeadLetters(ports(), { all: true })).toMatchObject({ more: true });
    expect(letters.messages.size).toBe(0);
    expect(await redriveDeadLetters(ports(), { all: true })).toEqual({ moved: [], missing: [], more: false });
  });
});

test('a drop deletes the message and sends nothing', async () => {
  letters.add('a', upload);
  letters.add('b', deadline);
  expect(await dropDeadLetters(ports(), { messages: ['a'] })).toEqual({ moved: ['a'], missing: [], more: false });
  expect([...letters.messages.keys()]).toEqual(['b']);
  expect(letters.arrivals).toEqual([]);
});
