import type { Evidence } from './evidence.ts';

/** What the checker reads of a manifest. */
export interface ManifestItem {
  readonly task: string;
  readonly version: number;
  readonly attempt: number;
  readonly base: {
    readonly key: string;
    readonly parameters: number;
    readonly stateKeys: Readonly<Record<string, string>>;
    readonly cacheKey?: string;
    readonly ruleStateKey?: string;
  };
  readonly updates: readonly {
    readonly ticket: string;
    readonly client: string;
    /** Order of arrival: sorts as text. */
    readonly sequence: string;
    readonly key: string;
    readonly etag: string;
    readonly sha256: string;
    readonly examples: number;
    readonly staleness: number;
    readonly weight: number;
  }[];
  readonly judge?: object;
  readonly plan: {
    readonly tiles: readonly { readonly index: number; readonly start: number; readonly end: number }[];
    readonly levels: readonly number[];
  };
  readonly model: { readonly key: string; readonly uploadId: string };
  readonly state: readonly { readonly name: string; readonly key: string; readonly uploadId: string }[];
}

/** What the checker reads of a task's configuration: the one that the task was created with. */
export interface ConfigItem {
  readonly round: { readonly buffer: number; readonly maxStaleness: number; readonly mode: string };
  readonly weighting: string;
  readonly staleness: {
    readonly kind: string;
    readonly exponent?: number;
    readonly a?: number;
    readonly b?: number;
    readonly rate?: number;
  };
  readonly method: { readonly kind: string; readonly mixing?: number; readonly delayThreshold?: number };
  readonly aggregation: {
    readonly rules: readonly {
      readonly kind: string;
      readonly suspects?: number;
      readonly rho?: number;
      readonly attackers?: { readonly count?: number; readonly fraction?: number };
    }[];
  };
  readonly serverOptimizer: OptimizerItem;
  readonly codecs: { readonly download?: object };
}

export interface OptimizerItem {
  readonly kind: string;
  readonly learningRate: number;
  readonly momentum?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly adaptivity?: number;
  readonly delayThreshold?: number;
}

/** Object as JSON, or undefined if there is none. */
export function readJsonObject<Item>({ models }: Pick<Evidence, 'models'>, key: string | undefined): Item | undefined {
  const bytes = key === undefined ? undefined : models.get(key);
  return bytes && JSON.parse(Buffer.from(bytes).toString());
}
