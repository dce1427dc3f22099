import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadPlan, LoadResult } from './generator.ts';

/** Runs the generator to its end. @throws {Error} if it ends without a result */
export async function generate(plan: LoadPlan): Promise<LoadResult> {
  const generator = fork(join(import.meta.dirname, 'generator.ts'));
  generator.send(plan);
  const ended = once(generator, 'exit').then(() =>
    Promise.reject(new Error('the load generator ended without a result')),
  );
  const [result] = await Promise.race([once(generator, 'message'), ended]);
  return result;
}
