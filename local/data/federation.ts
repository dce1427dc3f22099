import type { Encoding } from '../../client/typescript/data/table/encoding.ts';
import type { Samples } from '../../shared/core/samples.ts';

/** One client's own examples. `test` may be empty (`n` = 0). */
export interface ClientData {
  /** Stable name, unique in the federation; for CSV the file's name without its endings. */
  readonly id: string;
  readonly train: Samples;
  readonly test: Samples;
}

/** A model family that the training side knows how to build from `shape` and `classes`. */
export type ModelChoice =
  | { readonly kind: 'logistic-regression' }
  | { readonly kind: 'mlp'; readonly hidden: readonly number[] }
  | { readonly kind: 'cnn' }
  | { readonly kind: 'linear-forecast' };

/** Settings that are known to learn this federation; each is only a default. */
export interface Suggestion {
  readonly model: ModelChoice;
  /** The client's SGD learning rate. */
  readonly learningRate: number;
  readonly batchSize: number;
  readonly localEpochs: number;
  /** Versions to publish at most. */
  readonly rounds: number;
  /** Held-out accuracy, or R^2 of a regression, at which a run may end before that. */
  readonly targetAccuracy?: number;
  /** K, the updates in one round. */
  readonly buffer: number;
  /** Clients that train at the same time. */
  readonly concurrency: number;
}

/** Data already cut into clients, as a task needs it. */
export interface Federation {
  /** `synthetic-1-1`, `mnist`, or the name of the CSV directory. */
  readonly name: string;
  /** Shape of one example, without the batch axis. */
  readonly shape: readonly number[];
  /** 0 where examples have values to regress on. */
  readonly classes: number;
  /** Values to regress on, of each example; absent where examples have classes. */
  readonly outputs?: number;
  /** The name of each class, `[classes]`. */
  readonly labels: readonly string[];
  /** The name of each feature, `[product(shape)]`, where features have names. */
  readonly features?: readonly string[];
  readonly clients: readonly ClientData[];
  /** What the task evaluates each version on. */
  readonly heldOut: Samples;
  readonly suggestion: Suggestion;
  /** SHA-256 (hex) over the examples and their split: equal exactly when two runs see the same data. */
  readonly fingerprint: string;
  /** What the silos of tables agreed on, for clients that come later. */
  readonly encoding?: Encoding;
  /** One-line facts for the user, such as `dropped column x: constant`. */
  readonly notes: readonly string[];
}

/** How far loading has come; `done` and `total` are bytes for downloads and items otherwise. */
export interface Progress {
  readonly step: 'download' | 'read' | 'split' | 'encode';
  readonly message: string;
  readonly done?: number;
  readonly total?: number;
}

/** What every loader takes beside its options. */
export interface LoadContext {
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}
