import { createPublicKey } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorApi } from '../../local/cli/operator-api.ts';
import { keysOf } from '../../local/cli/verify-statements.ts';
import { verifyVersions } from '../../local/cli/verify-versions.ts';
import { defaultTraits } from '../../local/fleet/profile.ts';
import { findViolations } from '../simulation/checker/find-violations.ts';
import { checkCloud } from './check-cloud.ts';
import { evidenceFrom } from './evidence.ts';
import { hurryArrivals } from './impatient-assembly.ts';
import { type Kill, type KillRates, killPlan } from './kill-plan.ts';
import { CloudDied, KillableCloud } from './killable-cloud.ts';
import { RawCloud } from './raw-cloud.ts';
import { smallFleet } from './small-fleet.ts';
import { Witness } from './witness.ts';

export interface CampaignOptions extends KillRates {
  readonly seed: number;
  readonly clients: number;
  readonly concurrency: number;
  readonly buffer: number;
  /** A synthesized stack; it is changed. */
  readonly assembly: string;
  /** For the cloud's state; removed if all went well. */
  readonly folder: string;
  readonly log: (line: string) => void;
}

export interface CampaignResult {
  readonly seed: number;
  readonly rounds: number;
  readonly versions: number;
  readonly seconds: number;
  /** Kills by what was killed. */
  readonly kills: Readonly<Record<string, number>>;
  /** Planned kills of functions that did not run when their time came. */
  readonly missed: number;
  /** From version to version, kills and restarts included. */
  readonly longestRoundSeconds: number;
  readonly updates: Readonly<Record<string, number>>;
  readonly executions: Readonly<Record<string, number>>;
  /** Messages that reached the dead-letter queue, by reason; they were sent back. */
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly resumed: number;
  /** What is wrong with what the campaign left, one line each. */
  readonly violations: readonly string[];
}

/** What the simulation's checker calls the one task that it looks at. */
const task = 'sim';
const hurriedSeconds = 10;
/** Longer than a client takes on a busy machine: who lets two run out in a row is asked less. */
const ticketLifetimeMs = 15_000;
const stallMs = 180_000;
const traits = { ...defaultTraits, typicalMs: 800, stragglers: 0.05, dropOuts: 0.05, networkMs: 5 };

/**
 * Trains a task on a local cloud whose functions, and which itself, are killed again and again, and then lets the
 * simulation's checker judge what lies in its tables and buckets.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const startMs = performance.now();
  const campaign = new Campaign(options);
  try {
    await campaign.train();
    const result = await campaign.judge();
    if (result.violations.length === 0) rmSync(options.folder, { recursive: true, force: true });
    return { ...result, seconds: Math.round((performance.now() - startMs) / 1000) };
  } finally {
    await campaign.close();
  }
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #cloud: KillableCloud;
  readonly #witness = new Witness();
  readonly #denials: string[] = [];
  readonly #kills: Record<string, number> = {};
  #missed = 0;
  #longestMs = 0;
  #resumed = 0;
  #raw: RawCloud | undefined;

  constructor(options: CampaignOptions) {
    this.#options = options;
    hurryArrivals(options.assembly, hurriedSeconds);
    this.#cloud = new KillableCloud({ assembly: options.assembly, state: join(options.folder, 'state') }, (line) => {
      if (line.includes('is not authorized to perform')) this.#denials.push(line);
    });
  }

  async train(): Promise<void> {
    const { clients, seed, rounds, buffer, concurrency } = this.#options;
    const fleet = await smallFleet(clients, seed, traits);
    const { endpoint } = await this.#cloud.start();
    this.#raw = new RawCloud(this.#cloud.address);
    const over = new AbortController();
    try {
      await fleet.declare(this.#api(), endpoint, {
        task,
        round: { buffer, minimum: 1, deadlineMs: 10_000, maxStaleness: 50 },
        selection: { concurrency: 2 * concurrency, ticketLifetimeMs },
        training: { learningRate: 0.01 },
        stop: { rounds },
      });
      const { transport } = this.#witness;
      const running = fleet.run({ endpoint, task, concurrency, transport, signal: over.signal });
      running.catch((error: unknown) => over.abort(error));
      const killing = this.#killAll(killPlan(seed, this.#options), over.signal);
      killing.catch((error: unknown) => over.abort(error));
      await this.#untilCompleted(over.signal);
      over.abort(new Error('the task has ended'));
      await Promise.allSettled([running, killing]);
    } finally {
      over.abort();
      await fleet.close();
    }
  }

  /** Lets the cloud come to rest, as the runbook says, and looks at what is left. */
  async judge(): Promise<Omit<CampaignResult, 'seconds'>> {
    const deadLetters: Record<string, number> = {};
    await this.#cloud.ask({ kind: 'idle' });
    for (const { reason } of (await this.#api().deadLetters()).deadLetters) {
      deadLetters[reason] = (deadLetters[reason] ?? 0) + 1;
    }
    if (Object.keys(deadLetters).length > 0) {
      await this.#api().redriveDeadLetters({ all: true });
      await this.#cloud.ask({ kind: 'idle' });
    }
    // A ticket that was issued while the task ended lives as long as any; then this closes it.
    await sleep(ticketLifetimeMs);
    await this.#api().task(task);
    await this.#cloud.ask({ kind: 'idle' });
    const raw = this.#requireRaw();
    await this.#witness.look(raw, task);
    const evidence = await evidenceFrom(raw, task, this.#witness);
    const sealKey = createPublicKey({ key: { ...(await this.#api().sealKey()) }, format: 'jwk' });
    const violations = [
      ...findViolations(evidence, { target: 0, sealKey }),
      ...(await checkCloud(raw, evidence, this.#witness)),
      ...(await this.#brokenSeals()),
      ...this.#denials,
    ];
    return {
      seed: this.#options.seed,
      rounds: this.#options.rounds,
      versions: evidence.versions.length - 1,
      kills: this.#kills,
      missed: this.#missed,
      longestRoundSeconds: Math.round(this.#longestMs / 1000),
      updates: { ...evidence.counts, aggregated: evidence.versions.at(-1)?.aggregatedTotal ?? 0 },
      executions: countBy(evidence.executions, ({ status }) => status),
      deadLetters,
      resumed: this.#resumed,
      violations,
    };
  }

  /** What `tributary model verify --all` says. */
  async #brokenSeals(): Promise<string[]> {
    const api = this.#api();
    const [key, clientKeys] = [await api.sealKey(), keysOf(await api.clients())];
    const versions = await verifyVersions(api, task, { key, clientKeys, isWhole: () => true });
    return versions.flatMap(({ version, problems }) => problems.map((problem) => `version ${version}: ${problem}`));
  }

  async close(): Promise<void> {
    this.#raw?.close();
    await this.#cloud.kill();
  }

  async #untilCompleted(signal: AbortSignal): Promise<void> {
    const { rounds, log } = this.#options;
    const startMs = performance.now();
    let movedAtMs = startMs;
    for (let told = 0; ; ) {
      signal.throwIfAborted();
      await sleep(200);
      const before = this.#witness.version;
      // The cloud may be dead at this moment: the next look will tell.
      const state = await this.#look().catch(() => undefined);
      if (state === 'completed') return;
      if (state === 'suspended') {
        await this.#api()
          .startTask(task)
          .catch(() => {});
        this.#resumed++;
      }
      const now = performance.now();
      this.#longestMs = Math.max(this.#longestMs, now - movedAtMs);
      if (this.#witness.version > before) movedAtMs = now;
      if (now - movedAtMs > stallMs)
        throw new Error(`no version after ${this.#witness.version} for ${stallMs / 1000} s`);
      if (now - startMs < (told + 1) * 5_000) continue;
      told = Math.floor((now - startMs) / 5_000);
      const killed = Object.values(this.#kills).reduce((sum, count) => sum + count, 0);
      log(
        `${Math.round((now - startMs) / 1000)} s: version ${this.#witness.version} of ${rounds}, ${this.#witness.acknowledged.size} uploads, ${killed} kills (${this.#kills.cloud ?? 0} of the cloud)`,
      );
    }
  }

  async #look(): Promise<string> {
    await this.#witness.look(this.#requireRaw(), task);
    return this.#requireRaw().taskState(task);
  }

  async #killAll(plan: readonly Kill[], signal: AbortSignal): Promise<void> {
    for (const kill of plan) {
      while (this.#witness.version < kill.version) {
        await sleep(20);
        if (signal.aborted) return;
      }
      if (signal.aborted) return;
      if (kill.kind === 'cloud') await this.#killCloud(kill);
      else await this.#killFunction(kill);
    }
  }

  async #killCloud({ afterMs, againAfterMs }: Extract<Kill, { kind: 'cloud' }>): Promise<void> {
    await sleep(afterMs);
    await this.#cloud.kill();
    this.#count('cloud');
    if (againAfterMs !== undefined) {
      await this.#cloud.startAndDie(againAfterMs);
      this.#count('cloud');
    }
    const startMs = performance.now();
    await this.#cloud.start();
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    this.#options.log(`  cloud killed at version ${this.#witness.version}, up again after ${seconds} s`);
  }

  async #killFunction({ victim, afterMs }: Extract<Kill, { kind: 'function' }>): Promise<void> {
    const request = { kind: 'kill', victim: `tributary-dev-${victim}`, afterMs, withinMs: 3_000 } as const;
    const { killed } = await this.#cloud.ask(request);
    if (killed) this.#count(victim);
    else this.#missed++;
  }

  #count(what: string): void {
    this.#kills[what] = (this.#kills[what] ?? 0) + 1;
  }

  #requireRaw(): RawCloud {
    if (!this.#raw) throw new CloudDied('the cloud was never up');
    return this.#raw;
  }

  #api(): OperatorApi {
    const { endpoint, region, credentials } = this.#cloud.address;
    return new OperatorApi({ url: endpoint, region, credentials: async () => credentials });
  }
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1;
  return counts;
}
