import { FlError } from '../core/errors.ts';
import type { DeadLetterQueue, FailureStore, HeldLetter } from '../ports/dead-letters.ts';
import type { Clock } from '../ports/workflow.ts';
import { parseArrivalMessage } from '../wire/arrivals.ts';
import type { DeadLetter, DeadLetterChoice, DeadLettersMoved, DeadLettersResponse } from '../wire/dead-letters.ts';
import { ticketOfKey } from './keys.ts';

export interface DeadLetterPorts {
  readonly letters: DeadLetterQueue;
  readonly failures: FailureStore;
  readonly clock: Clock;
}

const listed = 100;
/** Shorter than the API's 30 s and than the minute that messages are held. */
const searchMs = 20_000;
const detailLength = 500;
const bodyLength = 1_000;

/** Notes why an arrival failed, for the day when it turns up among the dead letters. */
export async function noteFailure(
  { failures, clock }: Pick<DeadLetterPorts, 'failures' | 'clock'>,
  { message, tries }: { readonly message: string; readonly tries: number },
  error: unknown,
): Promise<void> {
  const code = error instanceof FlError ? error.code : error instanceof Error ? error.name : 'unknown';
  const text = error instanceof Error ? error.message : String(error);
  const detail = text.replace(/^\[[^\]]+\] /, '').slice(0, detailLength);
  await failures.note(message, { code, detail, tries, atMs: clock.now() });
}

/** What lies in the dead-letter queue, and why. Every message is put back. */
export async function listDeadLetters(ports: DeadLetterPorts): Promise<DeadLettersResponse> {
  const { letters, failures } = ports;
  const { held } = await search(ports, (found) => found.length >= listed);
  const [total] = await Promise.all([letters.depth(), letters.putBack(held)]);
  const shown = held.slice(0, listed);
  const deadLetters = await Promise.all(shown.map(async (each) => describe(each, await failures.failureOf(each.id))));
  return {
    deadLetters: deadLetters.sort((a, b) => a.sentAtMs - b.sentAtMs),
    total: Math.max(total, held.length),
  };
}

/**
 * Sends messages back to the arrivals queue. The copy goes first: who dies in between leaves two, and admission counts
 * each update once.
 */
export function redriveDeadLetters(ports: DeadLetterPorts, choice: DeadLetterChoice): Promise<DeadLettersMoved> {
  const { letters } = ports;
  return move(ports, choice, async (chosen) => {
    const sent = await letters.resend(chosen);
    await letters.remove(sent);
    return sent;
  });
}

/** Deletes messages for good. An upload's bytes stay until the bucket's lifecycle rule takes them. */
export function dropDeadLetters(ports: DeadLetterPorts, choice: DeadLetterChoice): Promise<DeadLettersMoved> {
  return move(ports, choice, async (chosen) => {
    await ports.letters.remove(chosen);
    return chosen;
  });
}

async function move(
  ports: DeadLetterPorts,
  choice: DeadLetterChoice,
  act: (chosen: readonly HeldLetter[]) => Promise<readonly HeldLetter[]>,
): Promise<DeadLettersMoved> {
  const wanted = 'messages' in choice ? new Set(choice.messages) : undefined;
  const moved = new Set<string>();
  const others: HeldLetter[] = [];
  const { atEnd } = await search(
    ports,
    () => wanted !== undefined && moved.size === wanted.size,
    async (batch) => {
      const chosen = batch.filter(({ id }) => wanted?.has(id) ?? true);
      for (const { id } of await act(chosen)) moved.add(id);
      others.push(...batch.filter(({ id }) => !moved.has(id)));
    },
  );
  await ports.letters.putBack(others);
  const missing = [...(wanted ?? [])].filter((id) => !moved.has(id));
  return { moved: [...moved], missing, more: !atEnd && (wanted === undefined || missing.length > 0) };
}

/** Holds messages, batch by batch, until `isEnough`, the end of the queue, or the end of the time. */
async function search(
  { letters, clock }: DeadLetterPorts,
  isEnough: (held: readonly HeldLetter[]) => boolean,
  visit: (batch: readonly HeldLetter[]) => Promise<void> = async () => {},
): Promise<{ held: readonly HeldLetter[]; atEnd: boolean }> {
  const held = new Map<string, HeldLetter>();
  const endMs = clock.now() + searchMs;
  while (!isEnough([...held.values()])) {
    if (clock.now() >= endMs) return { held: [...held.values()], atEnd: false };
    const batch = await letters.take();
    if (batch.length === 0) return { held: [...held.values()], atEnd: true };
    for (const letter of batch) held.set(letter.id, letter);
    await visit(batch);
  }
  return { held: [...held.values()], atEnd: false };
}

const notRecorded =
  'the function was killed, ran out of time or memory, or may not write to the table: its log has the rest under this id';

function describe(
  { id, body, sentAtMs }: HeldLetter,
  failure: Awaited<ReturnType<FailureStore['failureOf']>>,
): DeadLetter {
  return {
    id,
    ...subjectOf(body),
    sentAtMs,
    ...(failure && { firstFailedAtMs: failure.firstAtMs, lastFailedAtMs: failure.atMs, tries: failure.tries }),
    reason: failure?.code ?? 'not-recorded',
    detail: failure?.detail ?? notRecorded,
    body: body.slice(0, bodyLength),
  };
}

function subjectOf(body: string): Pick<DeadLetter, 'kind' | 'task' | 'ticket'> {
  try {
    const message = parseArrivalMessage(body);
    if (message.kind === 'deadline') return { kind: 'deadline', task: message.task };
    const [first] = message.arrivals;
    const ticket = first && ticketOfKey(first.key);
    return { kind: 'upload', ...(ticket && { ticket, task: first.key.split('/')[1] }) };
  } catch {
    return { kind: 'unreadable' };
  }
}
