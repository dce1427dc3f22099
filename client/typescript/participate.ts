import { FlError } from '../../shared/core/errors.ts';
import type { Params } from '../../shared/core/params.ts';
import { type Random, randomFrom } from '../../shared/core/random.ts';
import type { Metrics, TicketResponse } from '../../shared/wire/api.ts';
import type { TributaryClient } from './client.ts';
import type { ParticipateOptions, ParticipationEvent, ParticipationSummary, Trained } from './participation.ts';
import { dropPending, loadPending, type PendingUpdate, savePending } from './pending-update.ts';
import { permitted, whilePermitted } from './permission.ts';
import { sha256Hex } from './sha256.ts';
import { isNoRoom } from './store.ts';
import { loadResidual, saveResidual, writable, writeUpdate } from './update-codec.ts';

/** Pause between two questions about an update's outcome. */
const outcomePauseMs = 1_000;

/** Codes of a ticket that can take no update any more: the work is lost, the client goes on. */
const closedTicket = new Set(['ticket-expired', 'ticket-used', 'ticket-unknown']);

/** See {@link TributaryClient.participate}. */
export async function participate(
  client: TributaryClient,
  task: string,
  options: ParticipateOptions,
): Promise<ParticipationSummary> {
  const { signal, maxUpdates = Number.POSITIVE_INFINITY } = options;
  const emit = options.onEvent ?? (() => {});
  let updates = 0;
  let examples = 0;
  const summary = (reason: ParticipationSummary['reason']) => ({ task, updates, examples, reason });
  const stored = async (update: PendingUpdate, again: boolean) => {
    if (!(await store(client, task, update, again, options))) return;
    updates++;
    examples += update.examples;
    if (options.awaitOutcome) emit(await outcomeOf(client, update.ticket, signal));
  };

  try {
    const left = await loadPending(client.store, task, client.identity.client);
    if (left) {
      emit({ kind: 'resumed', ticket: left.ticket, baseVersion: left.baseVersion });
      await stored(left, true);
    }
    for (let turn = 0; updates < maxUpdates; turn++) {
      await permitted(client, 'start', options);
      const answer = await client.requestTicket(task, signal);
      if (answer.kind === 'ended') return summary('task-ended');
      if (answer.kind === 'wait') {
        // Never earlier than asked, and spread out so that those who were sent away together do not return together.
        const ms = answer.retryAfterMs * (1 + client.surroundings.random() / 2);
        emit({ kind: 'waiting', ms, code: answer.code, reason: answer.reason });
        await client.surroundings.sleep(ms, signal);
        continue;
      }
      const update = await work(client, answer.ticket, turn, options);
      if (!update) continue;
      await keep(client, task, update, options);
      await stored(update, false);
    }
    return summary('max-updates');
  } catch (error) {
    if (signal?.aborted) return summary('aborted');
    throw error;
  }
}

/** Downloads, trains and encodes; undefined if the callback gave the ticket up. */
async function work(
  client: TributaryClient,
  ticket: TicketResponse,
  turn: number,
  options: ParticipateOptions,
): Promise<PendingUpdate | undefined> {
  const { train, evaluate, signal, onEvent } = options;
  const { baseVersion, plan } = ticket;
  onEvent?.({ kind: 'ticket', ticket: ticket.ticket, baseVersion, expiresAtMs: ticket.expiresAtMs });
  const downloads = await Promise.all([
    client.downloadModel(ticket, signal),
    client.downloadPackage(ticket, signal),
  ]).catch((error: unknown) => {
    if (!(error instanceof FlError) || !closedTicket.has(error.code)) throw error;
    onEvent?.({ kind: 'abandoned', ticket: ticket.ticket, reason: error.message });
  });
  if (!downloads) return undefined;
  const [model, files] = downloads;
  onEvent?.({ kind: 'downloaded', baseVersion, bytes: model.bytes + files.bytes });
  const { params } = model;
  const random = randomFrom(plan.seed).fork(`${client.identity.client}/${baseVersion}/${turn}`);
  const outcome = await whilePermitted(client, options, async (signal) => {
    const measured = await evaluate?.({ params, baseVersion, package: files.package, signal });
    const trained = await train({ params, baseVersion, plan, package: files.package, random, signal });
    return { measured, trained };
  });
  const { measured, trained } = 'done' in outcome ? outcome.done : {};
  if (!trained) {
    const reason = 'stopped' in outcome ? outcome.stopped : 'the training callback gave no update';
    onEvent?.({ kind: 'abandoned', ticket: ticket.ticket, reason });
    return undefined;
  }
  // JSON has no NaN, and a training that diverged reports it.
  const reported = Object.entries({ ...measured, ...trained.metrics }).filter(([, value]) => Number.isFinite(value));
  const metrics = Object.fromEntries(reported);
  onEvent?.({ kind: 'trained', ticket: ticket.ticket, examples: trained.examples, metrics });
  return encodeUpdate(client, ticket, params, trained, { metrics, random });
}

/** Keeps it in case of a crash. Apart from `work`, so that the model and what was trained can be collected first. */
async function keep(client: TributaryClient, task: string, update: PendingUpdate, { onEvent }: ParticipateOptions) {
  await savePending(client.store, task, client.identity.client, update).catch((error: unknown) => {
    if (!isNoRoom(error)) throw error;
    onEvent?.({ kind: 'unsaved', ticket: update.ticket, reason: error.message });
  });
}

/** Trained minus base, as a safetensors file. @throws {FlError} if its length, examples or a value cannot be right */
async function encodeUpdate(
  { store, compressors, identity }: TributaryClient,
  ticket: TicketResponse,
  base: Params,
  trained: Trained,
  { metrics, random }: { readonly metrics: Metrics; readonly random: Random },
): Promise<PendingUpdate> {
  const { layout } = base;
  if (trained.params.length !== layout.size) {
    throw new FlError('update-length', `training gave ${trained.params.length} parameters, expected ${layout.size}`);
  }
  if (!Number.isSafeInteger(trained.examples) || trained.examples < 1) {
    throw new FlError('update-examples', `training gave ${trained.examples} examples, expected an integer >= 1`);
  }
  const subtract = (values: Float32Array) => {
    for (let i = 0; i < values.length; i++) {
      values[i] = trained.params[i] - base.values[i];
      if (!Number.isFinite(values[i])) {
        throw new FlError(
          'update-not-finite',
          `training gave ${trained.params[i]} for parameter ${i}; try a lower rate`,
        );
      }
    }
  };
  const { task, baseVersion } = ticket;
  const metadata = { task, baseVersion: String(baseVersion), examples: String(trained.examples) };
  const { bytes, codec, residual } = await writeUpdate(
    writable(ticket.codec, compressors),
    layout,
    subtract,
    metadata,
    {
      random: random.fork('codec'),
      residual: await loadResidual(store, task, identity.client, layout.size),
      compressors,
    },
  );
  return {
    ticket: ticket.ticket,
    baseVersion,
    expiresAtMs: ticket.expiresAtMs,
    examples: trained.examples,
    metrics,
    sha256: await sha256Hex(bytes),
    codec,
    bytes,
    residual,
  };
}

/** True once the update is stored; false if its ticket can take none any more. */
async function store(
  client: TributaryClient,
  task: string,
  update: PendingUpdate,
  again: boolean,
  options: ParticipateOptions,
): Promise<boolean> {
  const { signal, onEvent } = options;
  const { ticket, baseVersion, bytes, sha256, examples, metrics, codec } = update;
  const forget = () => dropPending(client.store, task, client.identity.client);
  try {
    const inTime = await permitted(client, 'upload', options, update.expiresAtMs);
    if (!inTime || (again && update.expiresAtMs <= client.surroundings.now())) {
      throw new FlError('ticket-expired', 'the ticket expired while the update waited');
    }
    await client.upload({ ticket, task, baseVersion }, { bytes, sha256, examples, metrics, codec }, { again, signal });
  } catch (error) {
    if (!(error instanceof FlError) || error.retry !== 'never') throw error;
    await forget();
    // An earlier process may have stored it and died before it could note so.
    if (again && (await isStored(client, ticket, signal))) {
      await saveResidual(client.store, task, client.identity.client, update.residual);
      return true;
    }
    if (!again && !closedTicket.has(error.code)) throw error;
    onEvent?.({ kind: 'abandoned', ticket, reason: error.message });
    return false;
  }
  await keepResidual(client, task, update);
  onEvent?.({ kind: 'uploaded', ticket, baseVersion, bytes: bytes.length });
  return true;
}

/** What a stored update left out takes its place. */
async function keepResidual({ store, identity }: TributaryClient, task: string, { residual }: PendingUpdate) {
  const { client } = identity;
  try {
    await saveResidual(store, task, client, residual);
    await dropPending(store, task, client);
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    // A crash between these loses a residual, which costs accuracy and nothing else; without room there is no other order.
    await dropPending(store, task, client);
    await saveResidual(store, task, client, undefined);
    await saveResidual(store, task, client, residual);
  }
}

async function isStored(client: TributaryClient, ticket: string, signal?: AbortSignal): Promise<boolean> {
  try {
    const { state } = await client.ticketStatus(ticket, signal);
    return state === 'admitted' || state === 'aggregated';
  } catch (error) {
    if (error instanceof FlError && error.retry === 'never') return false;
    throw error;
  }
}

/** Asks until the update has found its end. */
async function outcomeOf(client: TributaryClient, ticket: string, signal?: AbortSignal): Promise<ParticipationEvent> {
  for (;;) {
    const { state, version, reason } = await client.ticketStatus(ticket, signal);
    if (state === 'aggregated' || state === 'quarantined' || state === 'expired') {
      return { kind: 'outcome', ticket, state, version, reason };
    }
    await client.surroundings.sleep(outcomePauseMs * (1 + client.surroundings.random()), signal);
  }
}
