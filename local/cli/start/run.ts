import type { TrainingPackage } from '../../../client/typescript/participation.ts';
import { type Random, randomFrom } from '../../../shared/core/random.ts';
import type { Samples } from '../../../shared/core/samples.ts';
import type { PrivacySpec } from '../../../shared/onnx/training/training-spec.ts';
import type { ClientKey } from '../../../shared/wire/identity/keys.ts';
import { attackOf } from '../../attacks/attack.ts';
import { Coalition } from '../../attacks/coalition.ts';
import type { Federation } from '../../data/federation.ts';
import { loadFederation } from '../../data/load-federation.ts';
import { drawProfile } from '../../fleet/profile.ts';
import { createTrainerPool } from '../../fleet/trainer-pool.ts';
import { withClientNames } from '../client-names.ts';
import { type Console, UsageError } from '../console.ts';
import { issueKeys } from '../issue-keys.ts';
import { type BuiltModel, buildModel, type ModelSpec, statisticsOf } from '../model-spec.ts';
import { declareTask } from './declare-task.ts';
import { requireNoDenial } from './denied.ts';
import { type Display, lineDisplay, liveDisplay } from './display.ts';
import { type OwnCloud, openCloud } from './local-cloud.ts';
import { measureOf } from './measure.ts';
import { measureClients } from './measure-clients.ts';
import { modelFor, modelText, requireFit, shapedFor, trainingFor } from './model-for.ts';
import {
  accuracyByVersion,
  metricsOf,
  type Outcome,
  quarantineReasons,
  runUsd,
  secondsBetween,
  secondsToFirst,
} from './outcome.ts';
import { saveModel } from './save-model.ts';
import { federationOptions, requireCohort, type StartOptions, scheduleOf, traitsOf } from './settings.ts';
import { requireTaskConfig, taskConfigOf } from './task-config.ts';
import { taskNameOf } from './task-name.ts';
import { testSamples, trainSamples, trainTask } from './train-task.ts';
import { newView, type RunView } from './view.ts';

/** What is done sooner need not be told. */
const quietMs = 2_000;

/** A finished run; its cloud still runs. */
export interface FinishedRun {
  readonly outcome: Outcome;
  readonly own: OwnCloud;
}

interface Run {
  readonly options: StartOptions;
  readonly own: OwnCloud;
  readonly view: RunView;
  readonly display: Display;
  readonly phase: (text: string, progress?: string) => void;
  readonly signal: AbortSignal;
}

/** Loads, synthesizes, starts, trains, measures and saves. On failure everything is closed again. */
export async function runStart(options: StartOptions, console: Console): Promise<FinishedRun> {
  requireCohort(options.mode, options.buffer, options.concurrency); // Before anything that takes time.
  const loading = federationOptions(options);
  const view = newView(performance.timeOrigin);
  const display = console.live ? await liveDisplay(view, console) : lineDisplay(view, console);
  const phase = (text: string, progress = '') => {
    view.phase = text;
    view.progress = progress;
    display.changed();
  };
  const giveUp = new AbortController();
  const signal = AbortSignal.any([console.signal, giveUp.signal]);
  let opening: Promise<OwnCloud> | undefined;
  const open = () => {
    phase('synthesizing the stack');
    const cloud = openCloud({ keep: options.keep, log: display.note }, signal);
    // Whoever awaits it hears of a failure; loading may fail first.
    cloud.catch(() => {});
    opening = cloud;
    return cloud;
  };
  let own: OwnCloud | undefined;
  try {
    // A family is sized for the data, which load while the cloud opens. A model of one's own may not fit them: that is told first.
    if (typeof options.model !== 'object') open();
    const loaded = await loadFederation(loading, {
      onProgress: ({ message, done, total }) => phase(message, shareText(done, total)),
      signal,
    });
    const schedule = scheduleOf(options, loaded.suggestion, loaded.clients.length);
    requireTaskConfig(options, schedule, {});
    phase('building the training graphs');
    const prepared = await prepare(options, loaded);
    requireTaskConfig(options, schedule, statisticsOf(prepared.model));
    phase('synthesizing the stack and starting the local cloud');
    own = await (opening ?? open());
    const outcome = await trainAndSave({ options, own, view, display, phase, signal }, prepared);
    display.close();
    return { outcome, own };
  } catch (error) {
    display.close();
    giveUp.abort(error);
    own ??= await opening?.catch(() => undefined);
    const interrupted = console.signal.aborted;
    await own?.close(interrupted ? 'done' : 'failed');
    if (own && !interrupted) {
      console.err(`The local cloud's state and logs are left in ${own.folder}`);
      requireNoDenial(own.cloud, error);
    }
    throw error;
  }
}

/** The data and the model that they train. */
interface Prepared {
  readonly spec: ModelSpec;
  readonly data: Federation;
  readonly model: BuiltModel;
  readonly privacy: PrivacySpec | undefined;
  readonly notes: readonly string[];
}

/** @throws {UsageError} if the model cannot take the data; what `buildModel` throws */
async function prepare(options: StartOptions, loaded: Federation): Promise<Prepared> {
  const spec = modelFor(options, loaded);
  const data = withClientNames(shapedFor(spec, loaded));
  const model = await buildModel(spec, options.seed, trainingFor(spec, options, loaded));
  requireFit(model.package, data);
  return { spec, data, model, privacy: privacyOf(model, options), notes: [...loaded.notes, ...model.notes] };
}

async function trainAndSave(
  { options, own, view, display, phase, signal }: Run,
  { spec, data, model, privacy, notes }: Prepared,
): Promise<Outcome> {
  const measure = measureOf(model.package);
  const schedule = scheduleOf(options, data.suggestion, data.clients.length);
  const traits = traitsOf(options);
  const random = randomFrom(options.seed).fork('fleet');
  const coalition = coalitionOf(options, data, random);
  const profiles = data.clients.map(({ id }) => drawProfile(traits, random, id));
  const largest = Math.max(...data.clients.map(({ train }) => train.n));
  for (const note of notes) display.note(`  ${note}`);

  phase('creating the task');
  const description = `${data.name}, ${modelText(spec)}, ${data.clients.length} clients`;
  const declaring = declareTask(
    own.api,
    { name: options.task ?? taskNameOf(data.name), exact: options.task !== undefined },
    (name) => ({
      ...taskConfigOf(name, description, options, schedule, profiles, largest),
      statistics: statisticsOf(model),
    }),
    model,
    data,
    signal,
  );
  const names = data.clients.map(({ id }) => id);
  const [{ task, resumed }, keys] = await Promise.all([declaring, enrolClients(own, names, phase, signal)]);
  if (resumed) display.note(`  task ${task} was running already: going on with it`);
  const stragglers = profiles.filter(({ straggler }) => straggler).length;
  const clients = data.clients.length;
  const named = { task, mode: options.mode, data: data.name, model: modelText(spec), measure };
  view.plan = { ...schedule, ...named, clients, stragglers };
  phase('');

  if (coalition) {
    display.note(
      `  ${coalition.members.size} of ${clients} clients attack: ${coalition.attack.kind}, ${coalition.attack.about}`,
    );
  }
  const pool = createTrainerPool(samplesByName(data, coalition), options.workers);
  try {
    const { state, report } = await trainTask({
      task,
      own,
      pool,
      keys,
      clients: new Map(data.clients.map(({ id, train }) => [id, train.n])),
      traits,
      concurrency: schedule.concurrency,
      privacy,
      coalition,
      random,
      deterministic: options.deterministic,
      view,
      changed: display.changed,
      signal,
    });
    phase('saving the model');
    const folder = options.out ?? `tributary-out/${task}`;
    const saved = await saveModel(own.api, { task, version: state.version, folder }, signal);
    const versions = await own.api.versions(task, signal);
    view.state = state;
    view.versions = versions;
    phase("measuring the model on the clients' own data");
    const perClient = await measureClients(pool, packageFiles(model), saved.params, data, report);
    phase('');
    requireNoDenial(own.cloud);
    return {
      task,
      mode: options.mode,
      state: state.state,
      versions: state.version,
      updates: state.updates,
      quarantine: quarantineReasons(state),
      metrics: metricsOf(versions, data.heldOut, model.package),
      accuracyByVersion: accuracyByVersion(versions, view.startedAtMs),
      perClient,
      seconds: secondsBetween(view.startedAtMs, Date.now()),
      secondsToFirstVersion: secondsToFirst(versions, view.startedAtMs),
      bytes: report.traffic,
      estimatedUsd: runUsd(own.cloud.usage(), report.traffic),
      modelPath: saved.onnxPath,
      safetensorsPath: saved.safetensorsPath,
      dataFingerprint: data.fingerprint,
      seed: options.seed,
      deterministic: options.deterministic,
    };
  } finally {
    await pool.close();
  }
}

/** Before the run, beside other work: it is told of only if it takes long. */
function enrolClients(
  { api, endpoint, keysOf }: OwnCloud,
  names: readonly string[],
  phase: Run['phase'],
  signal: AbortSignal,
): Promise<ClientKey[]> {
  const startedAtMs = performance.now();
  const onProgress = (done: number, total: number) => {
    if (performance.now() - startedAtMs > quietMs) phase('enrolling the clients', `${done} of ${total}`);
  };
  return issueKeys(api, endpoint, names, { keysOf, onProgress, signal });
}

function coalitionOf({ attack }: StartOptions, { clients }: Federation, random: Random): Coalition | undefined {
  if (!attack) return undefined;
  const names = clients.map(({ id }) => id);
  return new Coalition(attackOf(attack.kind), names, attack.share, random);
}

function samplesByName({ clients, classes }: Federation, coalition: Coalition | undefined): Map<string, Samples> {
  return new Map(
    clients.flatMap(({ id, train, test }): [string, Samples][] => [
      [trainSamples(id), coalition?.samplesOf(id, train, classes) ?? train],
      [testSamples(id), test],
    ]),
  );
}

function packageFiles({ package: { evaluate, trainStep, trainEpoch } }: BuiltModel): TrainingPackage {
  return { 'evaluate.onnx': evaluate, 'train-step.onnx': trainStep, 'train-epoch.onnx': trainEpoch };
}

/** What the package's graphs do for privacy. @throws {UsageError} if a run is to be repeated that draws secret noise */
function privacyOf({ package: { training } }: BuiltModel, { deterministic }: StartOptions): PrivacySpec | undefined {
  if (!training.privacy || training.privacy.noiseMultiplier === 0) return undefined;
  if (deterministic) {
    throw new UsageError(
      "--deterministic does not go with a package that trains with DP-SGD: its noise is nobody's to repeat",
    );
  }
  return training.privacy;
}

function shareText(done = 0, total = 0): string {
  return total > 0 ? `${Math.floor((100 * done) / total)}%` : '';
}
