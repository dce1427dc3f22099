import { z } from 'zod';
import { attackOf } from '../../local/attacks/attack.ts';
import { Coalition } from '../../local/attacks/coalition.ts';
import type { CohortMember } from '../../shared/core/aggregator/cohort.ts';
import type { JudgeStep } from '../../shared/core/aggregator/judge-step.ts';
import { measurements } from '../../shared/core/aggregator/measurements.ts';
import { type Random, randomFrom } from '../../shared/core/random.ts';
import { rootEpochs } from '../../shared/core/root-epochs.ts';
import { updateWeights } from '../../shared/core/round.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { judgeSteps } from '../../shared/wire/judge-steps.ts';
import { type Arrival, Arrivals, type Base } from './arrivals.ts';
import { type Cell, experimentOf } from './cell.ts';
import { rulesOf } from './defences.ts';
import { Evaluations } from './evaluations.ts';
import type { LabRound } from './lab-round.ts';
import type { Population } from './population.ts';
import type { RunRecord } from './run-record.ts';
import { settings } from './settings.ts';
import { Tally } from './tally.ts';
import type { LabTrainer } from './trainer.ts';

export interface Lab {
  readonly trainer: LabTrainer;
  readonly rounds: LabRound;
  readonly population: Population;
}

/** The product's asynchronous rounds in virtual time, its rules, and the attackers. Equal cells, equal results. */
export async function simulate(lab: Lab, cell: Cell): Promise<RunRecord> {
  const before = process.cpuUsage();
  const run = new Run(lab, cell, { version: 0, params: await lab.trainer.initial(cell.seed) });
  const found = await run.toTheEnd();
  const { user, system } = process.cpuUsage(before);
  return { experiment: experimentOf(cell), cell, ...found, cpuSeconds: (user + system) / 1e6 };
}

interface Uploaded {
  readonly member: Omit<CohortMember, 'staleness'>;
  readonly baseVersion: number;
  readonly update: Float32Array;
}

/** Trainings without a new version after which a run is given up. */
const patience = 10 * settings.clients;
const keptStates = z.array(z.unknown());

class Run {
  readonly #lab: Lab;
  readonly #clients: readonly { readonly id: string; readonly samples: Samples }[];
  readonly #coalition: Coalition | undefined;
  readonly #steps: readonly JudgeStep[];
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #evaluations: Evaluations;
  readonly #arrivals: Arrivals;
  #base: Base;
  #states: readonly unknown[] | undefined;
  #previous: Float32Array | undefined;
  #buffer: readonly Uploaded[] = [];
  #inVain = 0;
  #ended: string | undefined;

  constructor(lab: Lab, { defence, attack, share, seed }: Cell, first: Base) {
    const { clients, classes, heldOut } = lab.population;
    const ids = clients.map(({ id }) => id);
    this.#lab = lab;
    this.#random = randomFrom(`attacks/${seed}`);
    const coalition = attack === 'none' ? undefined : new Coalition(attackOf(attack), ids, share, this.#random);
    this.#coalition = coalition;
    this.#clients = coalition
      ? clients.map(({ id, samples }) => ({ id, samples: coalition.samplesOf(id, samples, classes) }))
      : clients;
    this.#steps = judgeSteps(rulesOf(defence, share));
    this.#tally = new Tally((client) => coalition?.members.has(client) ?? false);
    this.#evaluations = new Evaluations(lab.trainer, heldOut, attack === 'backdoor' || attack === 'model-replacement');
    this.#base = first;
    this.#arrivals = new Arrivals(ids, first, this.#random);
  }

  async toTheEnd(): Promise<Omit<RunRecord, 'experiment' | 'cell' | 'cpuSeconds'>> {
    while (this.#base.version < settings.versions && this.#ended === undefined) {
      const { arrival, admit } = this.#arrivals.next();
      const uploaded = await this.#upload(arrival);
      if (uploaded) this.#buffer = [...this.#buffer, uploaded];
      if (this.#buffer.length >= settings.buffer) await this.#round();
      admit(this.#base);
      if (++this.#inVain > patience) this.#ended ??= `no version after ${this.#base.version}`;
    }
    await this.#evaluations.finish(this.#base);
    const { accuracies, backdoor } = this.#evaluations;
    const ended = this.#ended === undefined ? {} : { ended: this.#ended };
    return { accuracies, backdoor, versions: this.#base.version, ...ended, ...this.#tally.results() };
  }

  /** What the client sends, or undefined where the product would refuse it. */
  async #upload({ client, turn, base }: Arrival): Promise<Uploaded | undefined> {
    if (this.#base.version - base.version > settings.maxStaleness) return undefined;
    const { id, samples } = this.#clients[client];
    const random = this.#random.fork(`train/${id}/${turn}`);
    const own = await this.#lab.trainer.update(base.params, samples, settings.localEpochs, random);
    const update = own && (this.#coalition?.updateOf(id, own) ?? own);
    if (!update?.every(Number.isFinite)) return undefined;
    return { member: { client: id, examples: samples.n, metrics: {} }, baseVersion: base.version, update };
  }

  async #round(): Promise<void> {
    const base = this.#base;
    const needs = measurements(this.#steps);
    const members = this.#buffer.map(
      ({ member, baseVersion }): CohortMember => ({ ...member, staleness: base.version - baseVersion }),
    );
    const root = needs.includes('root') ? await this.#rootUpdate(members) : undefined;
    const { verdict, step } = this.#lab.rounds.run({
      steps: this.#steps,
      states: this.#states,
      members,
      updates: this.#buffer.map(({ update }) => update),
      weights: updateWeights(members, settings.staleness, settings.weighting),
      root,
      previous: needs.includes('previous') ? this.#previous : undefined,
      random: this.#random.fork(`round/${base.version + 1}`),
    });
    this.#tally.add(members, verdict);
    if (verdict.outcome !== 'judged' || !step) {
      // As in the product: the rejected are put in quarantine, and the round waits for others.
      const rejected = new Set(verdict.rejected.map(({ update }) => update));
      this.#buffer = this.#buffer.filter((_, i) => !rejected.has(i));
      if (rejected.size === 0) this.#ended = `too few updates for the rules after version ${base.version}`;
      return;
    }
    const params = base.params.map((value, i) => value + settings.serverLearningRate * step[i]);
    if (!params.every(Number.isFinite)) {
      this.#ended = `no finite model after version ${base.version}`;
      return;
    }
    // What the product keeps between versions is JSON.
    this.#states = keptStates.parse(JSON.parse(JSON.stringify(verdict.states)));
    this.#previous = params.map((value, i) => value - base.params[i]);
    this.#buffer = [];
    this.#inVain = 0;
    this.#base = { version: base.version + 1, params };
    await this.#evaluations.published(this.#base);
  }

  /** Undefined if it diverges: a rule that needs it then says so. */
  #rootUpdate(members: readonly CohortMember[]): Promise<Float32Array | undefined> {
    const { trainer, population } = this.#lab;
    const examples = members.map((member) => member.examples);
    const epochs = rootEpochs(settings.localEpochs, population.root.n, examples);
    return trainer.update(this.#base.params, population.root, epochs, this.#random.fork(`root/${this.#base.version}`));
  }
}
