import { FlError } from '../core/errors.ts';
import type { ClientId, TaskId } from '../core/names.ts';
import type { TaskRecord, TicketRecord } from '../ports/round-store.ts';
import type { ArtifactName, TicketRequest, TicketResponse } from '../wire/api.ts';
import { clientArtifacts, optionalClientArtifacts } from '../wire/api.ts';
import { expireTickets } from './expire-tickets.ts';
import { artifactKey } from './keys.ts';
import { offeredDeltas } from './offered-deltas.ts';
import type { Ports } from './ports.ts';
import { requirePublished } from './require-task.ts';

type IssuePorts = Pick<Ports, 'rounds' | 'models' | 'clock' | 'secrets'>;

/**
 * Gives a client leave to train from the newest version and to upload one update.
 * @throws {FlError} `task-unknown`, `task-ended`; `cohort-full`, `client-busy`, `client-paced` or `busy` (try again after `retryAfterMs`)
 */
export async function issueTicket(
  ports: IssuePorts,
  task: TaskId,
  { client, have }: TicketRequest & { readonly client: ClientId },
): Promise<TicketResponse> {
  const { record, model } = await requirePublished(ports, task);
  if (record.state !== 'running') {
    throw new FlError(
      'task-ended',
      `task "${task}" is ${record.state}${record.stateReason ? `: ${record.stateReason}` : ''}`,
    );
  }
  const { config } = record;
  const { ticket, expiresAtMs } = await takePlace(ports, record, client);
  const urlLifetimeMs = config.selection.ticketLifetimeMs;
  const names = [...clientArtifacts, ...optionalClientArtifacts.filter((name) => record.artifacts[name])];
  const [modelUrl, ...packageUrls] = await Promise.all([
    ports.models.presignGet(model.key, urlLifetimeMs),
    ...names.map((name) => ports.models.presignGet(artifactKey(task, name), urlLifetimeMs)),
  ]);
  const files = names.map((name, i) => [name, { url: packageUrls[i], ...requireArtifact(record, name) }] as const);
  return {
    ticket,
    task,
    client,
    baseVersion: record.version,
    modelUrl,
    package: Object.fromEntries(files) as TicketResponse['package'],
    purpose: config.purpose,
    plan: config.training,
    codec: config.codecs.upload,
    deltas: await offeredDeltas(ports, record, have, urlLifetimeMs),
    expiresAtMs,
  };
}

/**
 * A place that is refused may be held by a ticket that nobody uses any more: by the client's own, whose answer was lost or whose process
 * died, which it gets again, or by one that has run out. Only then are open tickets read.
 */
async function takePlace(
  ports: IssuePorts,
  record: TaskRecord,
  client: ClientId,
): Promise<Pick<TicketRecord, 'ticket' | 'expiresAtMs'>> {
  const first = await tryToTakePlace(ports, record, client);
  if (typeof first !== 'string') return first;
  const own = first === 'client-busy' ? await ticketToGoOnWith(ports, record, client) : undefined;
  if (own && own !== 'given-up') return own;
  const isFreed = own === 'given-up' || (first !== 'conflict' && (await expireTickets(ports, record)) > 0);
  const second = isFreed ? await tryToTakePlace(ports, record, client) : first;
  if (typeof second === 'string') throw refusal(second, client, record);
  return second;
}

/** The client's open ticket, if it can go on with it. One for an older version counts as run out: it gets a newer one instead. */
async function ticketToGoOnWith(
  { rounds, clock }: IssuePorts,
  { task, version }: TaskRecord,
  client: ClientId,
): Promise<TicketRecord | 'given-up' | undefined> {
  const open = await rounds.openTicket(task, client);
  const ticket = open && (await rounds.ticket(open));
  const nowMs = clock.now();
  if (ticket?.state !== 'issued' || ticket.expiresAtMs <= nowMs) return undefined;
  if (ticket.baseVersion === version) return ticket;
  const given = await rounds.expireTicket(ticket, 'its client asked for another', nowMs);
  return given === 'expired' ? 'given-up' : undefined;
}

async function tryToTakePlace(ports: IssuePorts, record: TaskRecord, client: ClientId) {
  const { task, version: baseVersion, config } = record;
  const issuedAtMs = ports.clock.now();
  const expiresAtMs = issuedAtMs + config.selection.ticketLifetimeMs;
  const missed = await missedTickets(ports, record, client);
  const ticket = ports.secrets.ticketId();
  const { cap, admitted } = await openTicketCap(ports, record, client);
  const outcome = await ports.rounds.issueTicket(
    { ticket, task, client, baseVersion, state: 'issued', issuedAtMs, expiresAtMs, missed },
    cap,
    admitted,
  );
  return outcome === 'issued' ? { ticket, expiresAtMs } : outcome;
}

/**
 * How many tickets may be open. A synchronous round takes K updates of one version: what the buffer holds of it counts
 * against the cohort, so that no client trains for a round that is full already.
 */
async function openTicketCap(
  { rounds }: IssuePorts,
  record: TaskRecord,
  client: ClientId,
): Promise<{ cap: number; admitted?: number }> {
  const { task, config, version } = record;
  if (config.round.mode === 'async') return { cap: config.selection.concurrency };
  const { admitted } = await rounds.counts(task); // Read first: an admission after this makes the store refuse.
  // All of it: until the last round is settled, its updates stand before those of this one.
  const buffered = (await rounds.buffer(task, Infinity)).filter((entry) => entry.baseVersion === version);
  if (buffered.some((entry) => entry.client === client)) throw refusal('client-busy', client, record);
  const { concurrency, overSelection } = config.selection;
  const asked = Math.ceil(config.round.buffer * overSelection);
  const isFull = buffered.length >= config.round.buffer;
  return { cap: isFull ? 0 : Math.min(concurrency, asked) - buffered.length, admitted };
}

/** Longest that a client that never uploads waits for its next ticket. */
const longestPauseMs = 24 * 3600 * 1000;

/**
 * Who lets tickets run out is asked less: after the second in a row he waits as long as a ticket lives, then twice as
 * long each time. An admitted update ends it.
 * @returns tickets in a row that ran out
 * @throws {FlError} `client-paced`
 */
async function missedTickets(
  { rounds, clock }: IssuePorts,
  { task, config }: TaskRecord,
  client: ClientId,
): Promise<number | undefined> {
  const pace = await rounds.pace(task, client);
  if (!pace || pace.missed < 2) return pace?.missed;
  const pauseMs = Math.min(longestPauseMs, config.selection.ticketLifetimeMs * 2 ** (pace.missed - 2));
  const retryAfterMs = pace.lastMissedAtMs + pauseMs - clock.now();
  if (retryAfterMs <= 0) return pace.missed;
  throw new FlError('client-paced', `${pace.missed} tickets of client "${client}" ran out without an update`, {
    retry: 'later',
    retryAfterMs,
  });
}

function requireArtifact({ task, artifacts }: TaskRecord, name: ArtifactName): { bytes: number; sha256: string } {
  const artifact = artifacts[name];
  if (!artifact) throw new FlError('task-damaged', `task "${task}" has no ${name}`);
  return artifact;
}

function refusal(
  outcome: 'full' | 'client-busy' | 'conflict',
  client: ClientId,
  { task, config }: TaskRecord,
): FlError {
  switch (outcome) {
    case 'full':
      return new FlError('cohort-full', `task "${task}" has all the clients that it wants for now`, {
        retry: 'later',
        retryAfterMs: config.round.mode === 'sync' ? 250 : 1_000,
      });
    case 'client-busy':
      return new FlError(
        'client-busy',
        `client "${client}" holds a ticket of task "${task}", or has its update in this round, already`,
        {
          retry: 'later',
          retryAfterMs: 1_000,
        },
      );
    case 'conflict':
      return new FlError('busy', `too many tickets of task "${task}" at once`, { retry: 'now', retryAfterMs: 100 });
  }
}
