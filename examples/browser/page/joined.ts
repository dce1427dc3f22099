import type { SchedulePolicy } from '../../../client/typescript/schedule.ts';
import type { JoinLink } from '../link.ts';
import { nothingYet, type Totals } from './progress.ts';

/** What the user agreed to for one task, and what came of it: kept until he leaves. */
export interface Joined {
  readonly purpose: string | undefined;
  readonly data: 'demo' | 'file';
  readonly policy: SchedulePolicy;
  readonly totals: Totals;
}

const keyOf = ({ endpoint, task, client }: JoinLink) => `tributary ${endpoint} ${task} ${client}`;

/** Undefined where the user has not joined, or what was kept cannot be read. */
export function loadJoined(link: JoinLink): Joined | undefined {
  const text = localStorage.getItem(keyOf(link));
  if (text === null) return undefined;
  try {
    const kept: unknown = JSON.parse(text);
    return isJoined(kept) ? { ...kept, totals: { ...nothingYet, ...kept.totals } } : undefined;
  } catch {
    return undefined;
  }
}

export function saveJoined(link: JoinLink, joined: Joined): void {
  localStorage.setItem(keyOf(link), JSON.stringify(joined));
}

export function forgetJoined(link: JoinLink): void {
  localStorage.removeItem(keyOf(link));
}

/** What this page wrote itself: its origin's alone. */
function isJoined(value: unknown): value is Joined {
  return (
    typeof value === 'object' &&
    value !== null &&
    'data' in value &&
    (value.data === 'demo' || value.data === 'file') &&
    'policy' in value &&
    typeof value.policy === 'object' &&
    'totals' in value &&
    typeof value.totals === 'object'
  );
}
