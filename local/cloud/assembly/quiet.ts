import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 10;

/**
 * Resolves when nothing moves. Work passes from part to part within a turn of the event loop or while a message is in flight, so
 * two looks in a row that find every part still mean that nothing was on its way between them.
 * @param isStill one look at every part
 */
export async function untilQuiet(isStill: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (let looks = 0; looks < 2; looks++) {
    if (!(await isStill())) looks = -1;
    await sleep(lookEveryMs, undefined, { signal });
  }
}
