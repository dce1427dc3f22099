import { copy } from '../../memory/copy.ts';
import type { Cloud } from '../world/cloud.ts';
import type { Publication } from '../world/journal.ts';
import type { ConfigItem } from './manifest.ts';

/**
 * What the checker sees: the stores as they are at the end, as plain data, and what the journal kept of them. The checker
 * imports nothing of the product; it reads manifests as JSON and files byte by byte, and computes with its own arithmetic.
 */
export interface Evidence {
  readonly task: TaskItem | undefined;
  readonly tickets: readonly TicketItem[];
  readonly open: readonly { readonly client: string; readonly ticket: string }[];
  readonly buffer: readonly { readonly ticket: string; readonly sequence: string; readonly key: string }[];
  readonly versions: readonly VersionItem[];
  readonly quarantine: readonly { readonly ticket: string; readonly reason: string }[];
  readonly counts: Readonly<Record<string, number>>;
  readonly models: ReadonlyMap<string, Uint8Array>;
  readonly updates: ReadonlyMap<string, Uint8Array>;
  /** Keys of uploads in parts that were neither joined nor given up: upload -> parts. */
  readonly uploads: ReadonlyMap<string, number>;
  readonly executions: readonly { readonly name: string; readonly status: string }[];
  readonly journal: {
    readonly updates: ReadonlyMap<string, Uint8Array>;
    readonly publications: readonly Publication[];
    readonly written: ReadonlyMap<string, ReadonlySet<string>>;
    readonly tamperedKeys: ReadonlySet<string>;
    readonly rewritten: ReadonlySet<string>;
    readonly ghosts: ReadonlySet<string>;
    readonly abandoned: ReadonlySet<string>;
    readonly sealed: ReadonlySet<number>;
    readonly seals: readonly { readonly version: number; readonly seal: string }[];
  };
}

export interface TaskItem {
  readonly state: string;
  readonly version: number;
  readonly settledVersion: number;
  readonly model?: { readonly key: string };
  readonly config: ConfigItem;
}

export interface TicketItem {
  readonly ticket: string;
  readonly client: string;
  readonly baseVersion: number;
  readonly state: string;
  readonly version?: number;
  readonly upload?: { readonly key: string; readonly sha256: string; readonly examples: number };
}

export interface VersionItem {
  readonly version: number;
  readonly origin: { readonly kind: string; readonly to?: number };
  readonly publishedAtMs: number;
  readonly evaluation?: object;
  /** A compact JWS. */
  readonly seal?: string;
  readonly updates: number;
  readonly examples: number;
  readonly rejected?: number;
  readonly staleness: Readonly<Record<string, number>>;
  readonly aggregatedTotal: number;
  readonly manifestKey?: string;
  readonly delta?: { readonly attempt: number; readonly tiles: number };
  readonly model: {
    readonly key: string;
    readonly dataOffset: number;
    readonly parameters: number;
    readonly stateKeys?: Readonly<Record<string, string>>;
    readonly ruleStateKey?: string;
    readonly cacheKey?: string;
  };
}

/** A copy: nothing that the checker does reaches the stores. */
export function evidenceOf({ rounds, models, updates, machine, journal }: Cloud): Evidence {
  const [shelf] = rounds.shelves.values();
  const found: Evidence = {
    task: shelf?.record,
    tickets: [...rounds.tickets.values()],
    open: [...(shelf?.open ?? [])].map(([client, { ticket }]) => ({ client, ticket })),
    buffer: [...(shelf?.buffer.values() ?? [])],
    versions: [...(shelf?.versions.values() ?? [])].sort((a, b) => a.version - b.version),
    quarantine: shelf?.quarantine ?? [],
    counts: { ...shelf?.counts },
    models: models.objects,
    updates: updates.objects,
    uploads: new Map([...models.uploads].map(([id, parts]) => [id, parts.size])),
    executions: [...machine.executions.values()],
    journal: {
      updates: journal.updates,
      publications: journal.publications,
      written: journal.written,
      tamperedKeys: journal.tamperedKeys,
      rewritten: journal.rewritten,
      ghosts: journal.ghosts,
      abandoned: journal.abandoned,
      sealed: journal.sealed,
      seals: journal.seals,
    },
  };
  return copy(found);
}
