import type { Random } from '../../../shared/core/random.ts';

/** How often what goes wrong. Chances are per port call, or as their names say. */
export interface FaultRates {
  /** The function is killed before the call has an effect, or after it. */
  readonly killBefore: number;
  readonly killAfter: number;
  /** The function is killed while the request travels on: it takes effect later, when another may be running. */
  readonly killInFlight: number;
  /** The caller of a function gives it up, though it lives and goes on. */
  readonly zombie: number;
  /** The call is refused without effect. */
  readonly throttle: number;
  /** The call takes effect and answers with an error. */
  readonly lostAnswer: number;
  /** The answer is lost, the SDK asks again, and that answer counts. */
  readonly repeated: number;
  /** The call takes seconds to minutes. */
  readonly stall: number;
  /** A stream breaks off. */
  readonly cutStream: number;
  /** Of every S3 event: twice, minutes late, never. */
  readonly duplicateEvent: number;
  readonly lateEvent: number;
  readonly lostEvent: number;
  /** Of every execution: another with the same input runs beside it. */
  readonly doubleExecution: number;
  /** The functions' clocks are off by up to this much. */
  readonly skewMs: number;
}

export type FaultName = keyof FaultRates;

export const noFaults: FaultRates = {
  killBefore: 0,
  killAfter: 0,
  killInFlight: 0,
  zombie: 0,
  throttle: 0,
  lostAnswer: 0,
  repeated: 0,
  stall: 0,
  cutStream: 0,
  duplicateEvent: 0,
  lateEvent: 0,
  lostEvent: 0,
  doubleExecution: 0,
  skewMs: 0,
};

/** The highest rate that a run draws. */
const worst: FaultRates = {
  killBefore: 0.04,
  killAfter: 0.04,
  killInFlight: 0.03,
  zombie: 0.03,
  throttle: 0.05,
  lostAnswer: 0.05,
  repeated: 0.06,
  stall: 0.02,
  cutStream: 0.05,
  duplicateEvent: 0.4,
  lateEvent: 0.2,
  lostEvent: 0.1,
  doubleExecution: 0.6,
  skewMs: 90_000,
};

/** What rarely comes together and shows most when it does: calls that take minutes, and executions side by side. */
export const slow: FaultRates = { ...noFaults, stall: 0.05 };
export const crowded: FaultRates = { ...noFaults, stall: 0.08, doubleExecution: 0.9, killBefore: 0.03, zombie: 0.03 };

/** Swarm testing: each run has some faults and not others, or the frequent ones would hide what the rare ones do. */
export function drawFaultRates(random: Random): FaultRates {
  const profile = random.fork('profile').next();
  if (profile < 0.2) return profile < 0.1 ? slow : crowded;
  const intensity = random.next();
  const share = random.next();
  const draw = (name: FaultName) => (random.next() < share ? worst[name] * intensity * random.next() : 0);
  return {
    killBefore: draw('killBefore'),
    killAfter: draw('killAfter'),
    killInFlight: draw('killInFlight'),
    zombie: draw('zombie'),
    throttle: draw('throttle'),
    lostAnswer: draw('lostAnswer'),
    repeated: draw('repeated'),
    stall: draw('stall'),
    cutStream: draw('cutStream'),
    duplicateEvent: draw('duplicateEvent'),
    lateEvent: draw('lateEvent'),
    lostEvent: draw('lostEvent'),
    doubleExecution: draw('doubleExecution'),
    skewMs: draw('skewMs'),
  };
}
