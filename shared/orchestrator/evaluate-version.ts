import { FlError } from '../core/errors.ts';
import type { Samples } from '../core/samples.ts';
import { storable } from '../core/storable.ts';
import type { Evaluator } from '../ports/evaluator.ts';
import { parseHeldOut } from '../wire/held-out.ts';
import { parseSafetensors } from '../wire/safetensors.ts';
import type { Evaluation, Published } from '../wire/workflow.ts';
import { artifactKey } from './keys.ts';
import type { Ports } from './ports.ts';
import { readBytes } from './read-object.ts';
import { requireTask } from './require-task.ts';

/** What one function holds of a task between rounds. */
interface EvaluationSet {
  readonly graph: Uint8Array;
  readonly samples: Samples;
}

const maxObjectBytes = 2_000_000_000;

/** Evaluates published versions on their task's held-out set, and keeps the newest task's graph and set at hand. */
export class VersionEvaluator {
  readonly #ports: Pick<Ports, 'rounds' | 'models'>;
  readonly #evaluator: Evaluator;
  #kept: { readonly task: string; readonly set: EvaluationSet } | undefined;

  constructor(ports: Pick<Ports, 'rounds' | 'models'>, evaluator: Evaluator) {
    this.#ports = ports;
    this.#evaluator = evaluator;
  }

  /** @returns null if the task has no held-out set. @throws {FlError} `version-unknown` */
  async evaluate({ task, version }: Pick<Published, 'task' | 'version'>): Promise<Evaluation | null> {
    const { rounds, models } = this.#ports;
    const record = await requireTask({ rounds }, task);
    if (!record.artifacts['held-out.safetensors']) return null;
    const published = await rounds.version(task, version);
    if (!published) throw new FlError('version-unknown', `task "${task}" has no version ${version}`);
    const [set, model] = await Promise.all([
      this.#setOf(task),
      readBytes(models, published.model.key, { maxBytes: maxObjectBytes }),
    ]);
    const evaluation = await this.#evaluator.evaluate(set.graph, parseSafetensors(model), set.samples);
    return { ...evaluation, loss: storable(evaluation.loss) };
  }

  async #setOf(task: Published['task']): Promise<EvaluationSet> {
    if (this.#kept?.task === task) return this.#kept.set;
    const read = (name: 'evaluate.onnx' | 'held-out.safetensors') =>
      readBytes(this.#ports.models, artifactKey(task, name), { maxBytes: maxObjectBytes });
    const [graph, heldOut] = await Promise.all([read('evaluate.onnx'), read('held-out.safetensors')]);
    const set = { graph, samples: parseHeldOut(heldOut) };
    this.#kept = { task, set };
    return set;
  }
}
