import { parseTicket } from '../../../client/typescript/answers.ts';
import {
  type ClientOptions,
  type TicketAnswer,
  TributaryClient,
  type UpdateTicket,
  type UpdateToStore,
} from '../../../client/typescript/client.ts';
import { FlError } from '../../../shared/core/errors.ts';
import type { TicketResponse } from '../../../shared/wire/api.ts';

export interface Patience {
  /** Resolves when the device may work. */
  pass(): Promise<void>;
  /** Resolves when the user agrees to this purpose, at once if it is what he agreed to before. */
  agree(purpose: string | undefined): Promise<void>;
}

/**
 * A client for a page that may be closed at any time. It asks for no ticket while it is paused, trains for no purpose that the user has
 * not agreed to, and keeps its ticket in the store: after a reload it goes on with it, also where a newer version is out.
 */
export class PatientClient extends TributaryClient {
  readonly #patience: Patience;

  constructor(options: ClientOptions, patience: Patience) {
    super(options);
    this.#patience = patience;
  }

  override async requestTicket(task: string, signal?: AbortSignal): Promise<TicketAnswer> {
    await this.#patience.pass();
    const kept = await this.#kept(task, signal);
    const answer: TicketAnswer = kept ? { kind: 'issued', ticket: kept } : await super.requestTicket(task, signal);
    if (answer.kind !== 'issued') return answer;
    if (!kept) await this.store.set(keyOf(task), new TextEncoder().encode(JSON.stringify(answer.ticket)));
    await this.#patience.agree(answer.ticket.purpose);
    return answer;
  }

  /** The update is in the store by now, and is what a reload goes on with. */
  override async upload(
    ticket: UpdateTicket,
    update: UpdateToStore,
    options?: { readonly again?: boolean; readonly signal?: AbortSignal },
  ): Promise<void> {
    await this.store.delete(keyOf(ticket.task));
    return super.upload(ticket, update, options);
  }

  /** The ticket that an earlier page left, if the federation still takes an update for it. */
  async #kept(task: string, signal?: AbortSignal): Promise<TicketResponse | undefined> {
    const bytes = await this.store.get(keyOf(task));
    if (!bytes) return undefined;
    const ticket = parseTicket(bytes);
    if (ticket.expiresAtMs > this.surroundings.now() && (await this.#isOpen(ticket.ticket, signal))) return ticket;
    await this.store.delete(keyOf(task));
    return undefined;
  }

  async #isOpen(ticket: string, signal?: AbortSignal): Promise<boolean> {
    try {
      const { state } = await this.ticketStatus(ticket, signal);
      return state === 'issued';
    } catch (error) {
      if (error instanceof FlError && error.code === 'ticket-unknown') return false;
      throw error;
    }
  }
}

const keyOf = (task: string) => `ticket/${task}`;
