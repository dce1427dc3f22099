import type { Context } from 'aws-lambda';
import type { z } from 'zod';
import { shown } from '../shared/core/shown.ts';
import { parseAs } from '../shared/wire/parse-as.ts';
import { logger } from './logger.ts';

/** A step of the round: its payload checked, its result JSON. An error is logged and left to the state machine. */
export function step<Schema extends z.ZodType>(schema: Schema, run: (input: z.output<Schema>) => Promise<unknown>) {
  return async (event: unknown, context: Context): Promise<unknown> => {
    let told = shown(event);
    try {
      const input = parseAs(schema, event, 'input-malformed', 'input');
      told = JSON.stringify(input);
      return (await run(input)) ?? null;
    } catch (error) {
      logger.error('step failed', { requestId: context.awsRequestId, event: told, error });
      throw named(error);
    }
  };
}

/** Step Functions matches on the error's name: ours is the stable code. */
function named(error: unknown): unknown {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const copy = new Error(error.message, { cause: error });
    copy.name = error.code;
    return copy;
  }
  return error;
}
