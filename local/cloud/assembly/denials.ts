import type { LocalGuard } from '../iam/guard.ts';
import { AccessDenied } from '../service.ts';

/** A call that the template does not allow: most often a missing grant. */
export interface Denial {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly message: string;
}

/** Keeps what was denied; each thing once, and only so many. */
export class Denials {
  readonly #found = new Map<string, Denial>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  get list(): readonly Denial[] {
    return [...this.#found.values()];
  }

  add(denial: Denial): void {
    const key = JSON.stringify([denial.principal, denial.action, denial.resource]);
    if (this.#found.has(key) || this.#found.size >= 1000) return;
    this.#found.set(key, denial);
    this.#log(denial.message);
  }
}

/** The same guard; what it denies to a holder of a key is kept. Strangers are denied every day and are no finding. */
export function watched(guard: LocalGuard, denials: Denials): LocalGuard {
  const keep = (error: unknown): never => {
    if (error instanceof AccessDenied) {
      const { principal, action, resource, message } = error;
      denials.add({ principal, action, resource, message });
    }
    throw error;
  };
  return {
    secretOf: (accessKeyId) => guard.secretOf(accessKeyId),
    authorize(accessKeyId, action, resource, context) {
      try {
        guard.authorize(accessKeyId, action, resource, context);
      } catch (error) {
        if (guard.secretOf(accessKeyId) === undefined) throw error;
        keep(error);
      }
    },
    authorizeService(...call) {
      try {
        guard.authorizeService(...call);
      } catch (error) {
        keep(error);
      }
    },
  };
}
