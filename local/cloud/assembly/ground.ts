import { createGuard, type LocalGuard } from '../iam/guard.ts';
import { freePort } from '../listen.ts';
import type { LocalService } from '../service.ts';
import type { CloudPlan } from '../template/plan.ts';
import { readPlan } from '../template/read-plan.ts';
import { checkGrants } from './check-grants.ts';
import { Denials, watched } from './denials.ts';
import { type Principals, principalsOf } from './principals.ts';
import { openStateFolder } from './state-folder.ts';
import { createUsageMeter, type UsageMeter } from './usage-meter.ts';

/** What every part of the cloud stands on. */
export interface Ground {
  readonly plan: CloudPlan;
  readonly principals: Principals;
  readonly guard: LocalGuard;
  readonly denials: Denials;
  readonly meter: UsageMeter;
  readonly log: (line: string) => void;
  /** Environments per function at most. */
  readonly concurrency: number;
  /** Resolves once every part is up: until then nothing that a former process left undone is taken up. */
  readonly ready: Promise<void>;
  path(name: string): string;
  /** Starts a part on the port it had in the last run, if that is free, and sees to its end. */
  start<T extends LocalService>(name: string, open: (port: number) => Promise<T>): Promise<T>;
  /** Registers something to be ended; the latest ends first. */
  onClose(end: () => unknown): void;
  /** Everything is up. */
  open(): void;
  close(): Promise<void>;
}

export interface GroundOptions {
  readonly assembly: string;
  readonly dir: string;
  readonly log: (line: string) => void;
  readonly concurrency: number;
}

/** Reads the assembly, takes the state folder, and makes guard and keys. @throws {FlError} as `startCloud` */
export function prepareGround({ assembly, dir, log, concurrency }: GroundOptions): Ground {
  const plan = readPlan(assembly);
  const folder = openStateFolder(dir);
  try {
    const principals = principalsOf(plan, folder.secretFor);
    const guard = createGuard({ principals: principals.configs, resourcePolicies: plan.resourcePolicies });
    checkGrants(plan, guard, principals);
    const denials = new Denials(log);
    const ports: Record<string, number> = {};
    const ends: (() => unknown)[] = [folder.unlock];
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    ready.catch(() => {});
    return {
      plan,
      principals,
      guard: watched(guard, denials),
      denials,
      meter: createUsageMeter(),
      log,
      concurrency,
      ready,
      path: folder.path,
      async start(name, open) {
        const service = await open(await freePort(folder.ports[name]));
        ports[name] = Number(new URL(service.url).port);
        ends.push(() => service.close());
        return service;
      },
      onClose: (end) => void ends.push(end),
      open() {
        folder.rememberPorts(ports);
        resolve();
      },
      async close() {
        reject(new Error('the local cloud is closing'));
        const [unlock, ...others] = ends.splice(0);
        const results = await Promise.allSettled(others.toReversed().map(async (end) => end()));
        unlock?.();
        const failed = results.find((result) => result.status === 'rejected');
        if (failed) throw failed.reason;
      },
    };
  } catch (error) {
    folder.unlock();
    throw error;
  }
}
