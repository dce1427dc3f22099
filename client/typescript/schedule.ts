/** When a device may take part. Pure: what the device is like comes in, a decision comes out; no clock, no platform. */

/** What a device knows of itself; a field that it cannot tell is absent. */
export interface DeviceState {
  /** On external power, or full on it. */
  readonly charging?: boolean;
  /** From 0 to 1. */
  readonly batteryLevel?: number;
  /** Nobody and nothing else is using it. */
  readonly idle?: boolean;
  /** Its connection is paid for by the byte. */
  readonly metered?: boolean;
  /** Its page or app is not on the screen. */
  readonly hidden?: boolean;
  /** Local hour of the day, 0 to 23. */
  readonly hour?: number;
}

/** What the device's owner asks for; nothing is asked by default. */
export interface SchedulePolicy {
  readonly charging?: boolean;
  readonly idle?: boolean;
  readonly unmetered?: boolean;
  /** Only while its page or app is on the screen. */
  readonly visible?: boolean;
  /** From 0 to 1; a device that is charging may have less. */
  readonly minimumBattery?: number;
  /** Local hours: `from` included, `to` not. `{from: 22, to: 6}` is the night; equal ones are the whole day. */
  readonly between?: { readonly from: number; readonly to: number };
  /**
   * What an absent field of the state counts as where the policy asks for it. `allow` by default: a box on the mains has no battery to tell
   * of, and a browser tells little; with `refuse` a device that cannot tell never trains.
   */
  readonly unknown?: 'allow' | 'refuse';
}

/**
 * What is about to happen. `start`: a ticket, the download, the training; asks for everything. `continue`: a training that is under way;
 * asks for power only, because training itself makes a device busy, and costs no bytes. `upload`: asks for the connection only.
 */
export type Step = 'start' | 'continue' | 'upload';

export type Permission = { readonly train: true } | { readonly train: false; readonly reason: string };

interface Rule {
  readonly asked: (policy: SchedulePolicy) => boolean;
  /** Undefined if the state does not tell. */
  readonly holds: (state: DeviceState, policy: SchedulePolicy) => boolean | undefined;
  readonly reason: (state: DeviceState, policy: SchedulePolicy) => string;
  readonly about: string;
  readonly steps: readonly Step[];
}

const not = (value: boolean | undefined) => (value === undefined ? undefined : !value);

const rules: readonly Rule[] = [
  {
    about: 'charging',
    asked: ({ charging }) => charging === true,
    holds: ({ charging }) => charging,
    reason: () => 'not charging',
    steps: ['start', 'continue'],
  },
  {
    about: 'the battery',
    asked: ({ minimumBattery = 0 }) => minimumBattery > 0,
    holds: ({ charging, batteryLevel }, { minimumBattery = 0 }) =>
      charging || (batteryLevel === undefined ? undefined : batteryLevel >= minimumBattery),
    reason: ({ batteryLevel = 0 }, { minimumBattery = 0 }) =>
      `battery at ${percent(batteryLevel)}, below ${percent(minimumBattery)}`,
    steps: ['start', 'continue'],
  },
  {
    about: 'whether it is idle',
    asked: ({ idle }) => idle === true,
    holds: ({ idle }) => idle,
    reason: () => 'in use',
    steps: ['start'],
  },
  {
    about: 'the connection',
    asked: ({ unmetered }) => unmetered === true,
    holds: ({ metered }) => not(metered),
    reason: () => 'on a metered connection',
    steps: ['start', 'upload'],
  },
  {
    about: 'whether it is on the screen',
    asked: ({ visible }) => visible === true,
    holds: ({ hidden }) => not(hidden),
    reason: () => 'not on the screen',
    steps: ['start', 'continue'],
  },
  {
    about: 'the hour',
    asked: ({ between }) => between !== undefined,
    holds: ({ hour }, { between }) => (hour === undefined || !between ? undefined : within(hour, between)),
    reason: ({ hour }, { between }) => `${hour} o'clock, outside ${between?.from}-${between?.to}`,
    steps: ['start'],
  },
];

/** Whether a device in this state may do this now, and if not the first reason. */
export function mayTrain(state: DeviceState, policy: SchedulePolicy, step: Step = 'start'): Permission {
  for (const rule of rules) {
    if (!rule.steps.includes(step) || !rule.asked(policy)) continue;
    const holds = rule.holds(state, policy);
    if (holds === false) return { train: false, reason: rule.reason(state, policy) };
    if (holds === undefined && policy.unknown === 'refuse') {
      return { train: false, reason: `the device does not tell ${rule.about}` };
    }
  }
  return { train: true };
}

/** What `participate` asks before each step: the state is read anew each time. */
export function schedule(
  read: () => Promise<DeviceState>,
  policy: SchedulePolicy,
): (step: Step) => Promise<Permission> {
  return async (step) => mayTrain(await read(), policy, step);
}

const conditions = ['charging', 'idle', 'unmetered'] as const;

/** The conditions of a list such as `charging,idle,unmetered`. @throws {RangeError} on any other word */
export function parseOnlyWhen(text: string): Pick<SchedulePolicy, (typeof conditions)[number]> {
  const words = text.split(',').map((word) => word.trim());
  for (const word of words) {
    if (!conditions.some((known) => known === word)) {
      throw new RangeError(`${JSON.stringify(word)}: expected a list of ${conditions.join(', ')}`);
    }
  }
  return Object.fromEntries(words.map((word) => [word, true]));
}

/** Local hours such as `22-6`. @throws {RangeError} on anything else */
export function parseBetween(text: string): { from: number; to: number } {
  const [, from = 24, to = 24] = (/^(\d{1,2})-(\d{1,2})$/.exec(text) ?? []).map(Number);
  if (from > 23 || to > 24) throw new RangeError(`${JSON.stringify(text)}: expected two hours, such as 22-6`);
  return { from, to: to % 24 };
}

function within(hour: number, { from, to }: { readonly from: number; readonly to: number }): boolean {
  if (from === to) return true;
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
