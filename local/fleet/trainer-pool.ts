import { Worker } from 'node:worker_threads';
import type { TrainingPackage } from '../../client/typescript/participation.ts';
import { FlError } from '../../shared/core/errors.ts';
import type { Layout, Params } from '../../shared/core/params.ts';
import type { Samples } from '../../shared/core/samples.ts';
import type { TrainingPlan } from '../../shared/wire/task-config.ts';
import type { EvaluateResult, TrainerReply, TrainerRequest, TrainResult } from './trainer-messages.ts';

export interface TrainerPool {
  /** Parameters are copied. `seed` is the shuffling stream's. */
  train(job: {
    readonly samples: string;
    readonly package: TrainingPackage;
    readonly params: Params;
    readonly plan: TrainingPlan;
    readonly seed: string;
  }): Promise<TrainResult>;
  evaluate(job: {
    readonly samples: string;
    readonly package: TrainingPackage;
    readonly params: Params;
  }): Promise<EvaluateResult>;
  close(): Promise<void>;
}

interface Job {
  readonly request: Extract<TrainerRequest, { id: number }>;
  readonly files: TrainingPackage;
  readonly layout: Layout;
  readonly resolve: (reply: TrainerReply) => void;
  readonly reject: (error: unknown) => void;
}

interface Seat {
  readonly worker: Worker;
  readonly known: Set<string>;
  hasPackage: boolean;
  job: Job | undefined;
}

/**
 * Trains in worker threads, so that the event loop lives while onnxruntime computes. One job a worker at a time, first
 * come first served.
 * @param samples by name; each is copied to a worker when it is first needed there
 */
export function createTrainerPool(samples: ReadonlyMap<string, Samples>, workers: number): TrainerPool {
  const queue: Job[] = [];
  let nextId = 1;
  let closing = false;
  const seats = Array.from({ length: workers }, () => newSeat());

  function newSeat(): Seat {
    const worker = new Worker(new URL('./trainer-worker.ts', import.meta.url));
    const seat: Seat = { worker, known: new Set(), hasPackage: false, job: undefined };
    worker.on('message', (reply: TrainerReply) => {
      const { job } = seat;
      seat.job = undefined;
      if (reply.kind === 'failed') job?.reject(new FlError(reply.code, reply.message));
      else job?.resolve(reply);
      feed();
    });
    const fail = (cause: unknown) => {
      const error = new FlError('trainer-died', 'a training thread ended unexpectedly', { cause });
      for (const job of [seat.job, ...queue.splice(0)]) job?.reject(error);
      seat.job = undefined;
    };
    worker.on('error', fail);
    worker.on('exit', () => {
      if (!closing) fail(undefined);
    });
    return seat;
  }

  function feed(): void {
    for (const seat of seats) {
      const job = seat.job ? undefined : queue.shift();
      if (!job) continue;
      seat.job = job;
      const { request, files, layout } = job;
      const post = (message: TrainerRequest, transfer: readonly ArrayBuffer[] = []) =>
        seat.worker.postMessage(message, [...transfer]);
      if (!seat.hasPackage) post({ kind: 'package', layout, files });
      seat.hasPackage = true;
      if (!seat.known.has(request.samples)) {
        const own = samples.get(request.samples);
        if (!own) throw new RangeError(`trainer pool: no samples "${request.samples}"`);
        post({ kind: 'samples', name: request.samples, samples: compact(own) });
        seat.known.add(request.samples);
      }
      const { buffer } = request.params;
      post(request, buffer instanceof ArrayBuffer ? [buffer] : []);
    }
  }

  const ask = (files: TrainingPackage, { layout }: Params, request: Job['request']) =>
    new Promise<TrainerReply>((resolve, reject) => {
      queue.push({ request, files, layout, resolve, reject });
      feed();
    });

  return {
    train: async ({ package: files, params, ...job }) => {
      const reply = await ask(files, params, { kind: 'train', id: nextId++, params: params.values.slice(), ...job });
      if (reply.kind !== 'trained') throw new Error(`trainer pool: ${reply.kind} in answer to train`);
      return reply.result;
    },
    evaluate: async ({ package: files, params, samples: name }) => {
      const values = params.values.slice();
      const reply = await ask(files, params, { kind: 'evaluate', id: nextId++, params: values, samples: name });
      if (reply.kind !== 'evaluated') throw new Error(`trainer pool: ${reply.kind} in answer to evaluate`);
      return reply.result;
    },
    close: async () => {
      closing = true;
      await Promise.all(seats.map(({ worker }) => worker.terminate()));
    },
  };
}

/** A view is posted with the whole buffer behind it: cut out what belongs to this client. */
function compact({ x, y, n, shape }: Samples): Samples {
  const whole = x.byteLength === x.buffer.byteLength && y.byteLength === y.buffer.byteLength;
  return whole ? { x, y, n, shape } : { x: x.slice(), y: y.slice(), n, shape };
}
