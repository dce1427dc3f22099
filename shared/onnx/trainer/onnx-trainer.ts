import type { InferenceSession } from 'onnxruntime-common';
import { FlError } from '../../core/errors.ts';
import type { Layout } from '../../core/params.ts';
import { permutation, type Random } from '../../core/random.ts';
import type { Samples } from '../../core/samples.ts';
import { type EvaluateResult, evaluateInChunks } from '../runtime/evaluate.ts';
import { ignoresLabels } from '../runtime/example-feeds.ts';
import { joinParams, type OnnxRuntime, sessionOptions, splitParams, type Tensors } from '../runtime/runtime.ts';
import { inputNames } from '../training/names.ts';
import type { PrivacySpec } from '../training/training-spec.ts';
import { type AlgorithmOptions, fixedInputs, initialState, noiseInputs } from './algorithm-inputs.ts';
import { checkParams, checkSamples, checkTraining } from './check-inputs.ts';
import { privacyOf } from './privacy-of.ts';
import { epochRunner, type StepRunner, singleStepRunner } from './step-runner.ts';

export type { EvaluateResult };

/** The part of a training package that a client loads. */
export interface TrainerPackage {
  readonly layout: Layout;
  readonly evaluate: Uint8Array;
  readonly trainStep: Uint8Array;
  readonly trainEpoch: Uint8Array;
}

export interface TrainOptions extends AlgorithmOptions {
  /** Where to start, shape [layout.size]. Never written. */
  readonly params: Float32Array;
  readonly samples: Samples;
  readonly epochs: number;
  /** Examples in one step; an epoch's last step takes what is left. */
  readonly batchSize: number;
  readonly learningRate: number;
  /** Shuffles the examples before each epoch. The same stream gives the same result, bit for bit. */
  readonly random: Random;
  /** Stops the training between two calls of the runtime; `train` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each call of the runtime. A promise holds the training until it resolves, and ends it if it rejects. */
  readonly onProgress?: (progress: TrainProgress) => unknown;
}

export interface TrainProgress {
  readonly stepsDone: number;
  readonly stepsTotal: number;
  /** Mean loss over the steps so far. */
  readonly loss: number;
}

export interface TrainResult {
  /** The trained parameters, shape [layout.size], new memory. */
  readonly params: Float32Array;
  /** Mean over all steps of each batch's mean loss before its update. */
  readonly loss: number;
  readonly steps: number;
}

interface Sessions {
  readonly evaluate: InferenceSession;
  readonly train: InferenceSession;
  readonly trainGraph: 'epoch' | 'step';
}

/** A call of the runtime blocks its thread; between calls, progress is told and a stop is heard. */
const aimedCallMs = 200;
/** Steps of one call where nobody can tell how long they take. */
const stepsWithoutClock = 32;

/**
 * Trains and evaluates a model from its training package with plain onnxruntime. A call of the runtime blocks the thread for about 200 ms, or
 * for one step if that is longer: use a worker where that matters. Release the trainer after use.
 */
export class OnnxTrainer {
  /** Of a package that trains with DP-SGD: the clip norm and the noise that its graph applies. */
  readonly privacy: PrivacySpec | undefined;
  readonly #ort: OnnxRuntime;
  readonly #layout: Layout;
  readonly #sessions: Sessions;
  readonly #now: (() => number) | undefined;
  #stepsPerCall: number;

  private constructor(
    ort: OnnxRuntime,
    layout: Layout,
    sessions: Sessions,
    privacy: PrivacySpec | undefined,
    now: (() => number) | undefined,
  ) {
    this.#ort = ort;
    this.#layout = layout;
    this.#sessions = sessions;
    this.privacy = privacy;
    this.#now = now;
    this.#stepsPerCall = now ? 1 : stepsWithoutClock;
  }

  /**
   * Loads the graphs: the epoch graph, or the step graph where the runtime does not accept a Loop.
   * @param ort onnxruntime-node, onnxruntime-web, or any runtime with their interface
   * @param now a clock in milliseconds, by which calls of the runtime are sized; without it they are of a fixed number of steps
   * @throws {FlError} `training-graph-refused` if the runtime accepts neither, or not the evaluation, or if the noise is not DP-SGD's
   */
  static async create(ort: OnnxRuntime, pkg: TrainerPackage, now?: () => number): Promise<OnnxTrainer> {
    const privacy = privacyOf(pkg.trainStep);
    const open = (graph: Uint8Array) => ort.InferenceSession.create(graph, sessionOptions);
    let evaluate: InferenceSession | undefined;
    try {
      evaluate = await open(pkg.evaluate);
      const epoch = await open(pkg.trainEpoch).catch(() => undefined);
      const train = epoch ?? (await open(pkg.trainStep));
      const sessions: Sessions = { evaluate, train, trainGraph: epoch ? 'epoch' : 'step' };
      return new OnnxTrainer(ort, pkg.layout, sessions, privacy, now);
    } catch (cause) {
      await evaluate?.release();
      throw new FlError('training-graph-refused', 'the ONNX runtime does not load the training graphs', { cause });
    }
  }

  /**
   * Trains in mini-batches with a fresh shuffle for each epoch. The optimizer's state starts from zero.
   * @throws {FlError} `training-invalid`, `samples-invalid` or `params-mismatch` before it starts; `training-failed` if the runtime gives up,
   *   as on a label that is no class; `training-diverged` if the loss or a parameter is no longer finite
   */
  async train(options: TrainOptions): Promise<TrainResult> {
    const { samples, epochs, batchSize, learningRate, random, signal, onProgress } = options;
    checkTraining(options);
    checkSamples(samples);
    checkParams(this.#layout, options.params);
    const session = this.#sessions.train;
    const runner = this.#runner(options);
    const noise = noiseInputs(this.#ort, session, options.noise);
    const stepsTotal = epochs * Math.ceil(samples.n / batchSize);
    let carried: Tensors = {
      ...splitParams(this.#ort, this.#layout, options.params),
      ...initialState(this.#ort, session),
    };
    let steps = 0;
    let lossSum = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = permutation(samples.n, random);
      for (let first = 0; first < samples.n; ) {
        signal?.throwIfAborted();
        const rows = this.#nextRows(order, first, batchSize);
        const startMs = this.#now?.() ?? 0;
        const batch = Math.min(batchSize, rows.length);
        const done = await runner.run(carried, rows, batch, noise(rows.length / batch)).catch(failed);
        if (this.#now) this.#adapt((this.#now() - startMs) / done.losses.length);
        carried = done.carried;
        first += rows.length;
        steps += done.losses.length;
        for (const loss of done.losses) lossSum += loss;
        if (!Number.isFinite(lossSum))
          throw diverged(`the loss is no longer finite after ${steps} steps`, learningRate);
        await onProgress?.({ stepsDone: steps, stepsTotal, loss: lossSum / steps });
        await nextTask();
      }
    }
    const trained = joinParams(this.#layout, carried);
    if (!trained.every(Number.isFinite)) throw diverged('a parameter is no longer finite', learningRate);
    return { params: trained, loss: lossSum / steps, steps };
  }

  /**
   * Loss and accuracy of `params`, shape [layout.size], on the samples.
   * @throws {FlError} `samples-invalid`, `params-mismatch`, or `evaluation-failed` if the runtime gives up
   */
  async evaluate({ params, samples }: { params: Float32Array; samples: Samples }): Promise<EvaluateResult> {
    checkSamples(samples);
    checkParams(this.#layout, params);
    return evaluateInChunks(this.#ort, this.#sessions.evaluate, splitParams(this.#ort, this.#layout, params), samples);
  }

  /** Frees the sessions' memory. The trainer must not be used again. */
  async release(): Promise<void> {
    await Promise.all([this.#sessions.evaluate.release(), this.#sessions.train.release()]);
  }

  #runner(options: TrainOptions): StepRunner {
    const ort = this.#ort;
    const { samples, learningRate, params } = options;
    const { evaluate, train, trainGraph } = this.#sessions;
    const rate = new ort.Tensor('float32', Float32Array.of(learningRate), []);
    const seed = options.random.fork('dropout').below(2 ** 24);
    const added = fixedInputs(ort, train, this.#layout, params, { ...options, seed });
    const fixed = { ...added, [inputNames.learningRate]: rate };
    const inputs = { ort, samples, fixed, ignoresLabels: ignoresLabels(evaluate) };
    return trainGraph === 'epoch' ? epochRunner(train, inputs) : singleStepRunner(train, inputs);
  }

  /** As many whole batches as one call takes, or the incomplete one at an epoch's end. */
  #nextRows(order: Uint32Array, first: number, batchSize: number): Uint32Array {
    const whole = Math.min(this.#stepsPerCall, Math.floor((order.length - first) / batchSize));
    return order.subarray(first, whole > 0 ? first + whole * batchSize : order.length);
  }

  /** Powers of two, because the runtime plans its memory anew for each number of steps. The result does not depend on it. */
  #adapt(stepMs: number): void {
    this.#stepsPerCall = 2 ** Math.max(0, Math.min(12, Math.floor(Math.log2(aimedCallMs / stepMs))));
  }
}

function failed(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new FlError('training-failed', `the ONNX runtime gave up: ${reason}`, { cause });
}

function diverged(what: string, learningRate: number): FlError {
  return new FlError('training-diverged', `${what}: lower the learning rate (${learningRate}), or scale the features`);
}

/** Lets timers and messages in: a promise alone does not. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
