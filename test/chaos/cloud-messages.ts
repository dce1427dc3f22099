import type { RunningFunction } from '../../local/cloud/lambda/lambda-service.ts';

/** Where a local cloud is and who may do everything there. */
export interface CloudAddress {
  readonly endpoint: string;
  readonly endpoints: { readonly s3: string; readonly sqs: string; readonly dynamodb: string; readonly states: string };
  readonly outputs: Readonly<Record<string, string>>;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** What one look at the cloud's process gives. */
export interface CloudVitals {
  readonly rssBytes: number;
  /** After a garbage collection. */
  readonly heapUsedBytes: number;
  /** What V8 holds for the heap, used or not. */
  readonly heapTotalBytes: number;
  /** Buffers and other memory outside of the heap that V8 knows of. */
  readonly externalBytes: number;
  /** Timers, sockets, processes and the like that are open. */
  readonly resources: number;
  readonly functions: readonly RunningFunction[];
}

export type CloudRequest =
  /** Kills a process of the function `afterMs` into one of its invocations; gives up after `withinMs`. */
  | { readonly kind: 'kill'; readonly victim: string; readonly afterMs: number; readonly withinMs: number }
  | { readonly kind: 'idle' }
  | { readonly kind: 'vitals' };

export interface CloudAnswers {
  readonly kill: { readonly killed: boolean };
  readonly idle: Record<never, never>;
  readonly vitals: CloudVitals;
}

/** From the process: that it is up, a line of its log, or the answer to a request. */
export type CloudMessage =
  | { readonly kind: 'up'; readonly address: CloudAddress }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown };

export type Numbered = CloudRequest & { readonly id: number };
