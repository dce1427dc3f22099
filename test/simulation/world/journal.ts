import { createHash } from 'node:crypto';

/** What a version was when it was published. */
export interface Publication {
  readonly version: number;
  /** The record as JSON, without the evaluation, which comes later. */
  readonly record: string;
  /** Files that the record names -> hash of their content. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * What the stores saw and no longer hold: a camera on the wall. Nothing of the product reads it; the checker needs it because
 * updates are deleted once they are aggregated, and because a rule broken for a moment may look whole at the end.
 */
export class Journal {
  /** Key -> content of every update that was ever stored, the last under its key. */
  readonly updates = new Map<string, Uint8Array>();
  readonly publications: Publication[] = [];
  /** Key, or upload and part -> hashes of everything that anyone tried to write there. */
  readonly written = new Map<string, Set<string>>();
  /** Keys that somebody from outside deleted, or a client uploaded again. */
  readonly tamperedKeys = new Set<string>();
  /** Keys of models that were removed, and those that a function that had been given up wrote again after that. */
  readonly removed = new Set<string>();
  readonly rewritten = new Set<string>();
  /** Functions that went on, or whose last request did, after they had been given up: name and what they worked on. */
  readonly ghosts = new Set<string>();
  /** Executions that were stopped or timed out, by name: nothing cleans up after those but the lifecycle rules. */
  readonly abandoned = new Set<string>();
  /** Versions whose step that seals has come through, and every seal that was taken. */
  readonly sealed = new Set<number>();
  readonly seals: { readonly version: number; readonly seal: string }[] = [];
  /** How often what happened, for the report. */
  readonly counts = new Map<string, number>();

  count(event: string): void {
    this.counts.set(event, (this.counts.get(event) ?? 0) + 1);
  }

  wrote(place: string, bytes: Uint8Array): void {
    const hashes = this.written.get(place) ?? new Set();
    hashes.add(hashOf(bytes));
    this.written.set(place, hashes);
  }
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
