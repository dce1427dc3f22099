import { z } from 'zod';
import { FlError } from '../../core/errors.ts';
import type { PublicKey } from './keys.ts';
import { verified } from './proof.ts';
import { statementType, type UpdateStatement } from './sign.ts';

export { signStatement, type UpdateStatement } from './sign.ts';

/** A compact JWS, as it travels; what it says is `updateStatementSchema`. */
export const statementSchema = z
  .string()
  .max(2_048)
  .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/, 'a compact JWS');

const updateStatementSchema: z.ZodType<UpdateStatement> = z.object({
  sub: z.string(),
  task: z.string(),
  ticket: z.string(),
  baseVersion: z.number().int(),
  bytes: z.number().int(),
  sha256: z.string(),
  examples: z.number().int(),
});

/**
 * Verifies that the holder of `publicKey` said this.
 * @throws {FlError} `statement-wrong`, naming the first claim that differs
 */
export async function verifyStatement(
  jws: string,
  publicKey: PublicKey,
  expected: Partial<UpdateStatement>,
): Promise<void> {
  const { payload } = await verified(jws, publicKey, statementType).catch((cause: unknown) => {
    throw new FlError('statement-wrong', "its signature is not one by the client's key", { cause });
  });
  const { data } = updateStatementSchema.safeParse(payload);
  if (!data) throw new FlError('statement-wrong', 'the statement lacks a claim');
  for (const name of Object.keys(expected) as (keyof UpdateStatement)[]) {
    if (data[name] === expected[name]) continue;
    throw new FlError('statement-wrong', `the statement says ${name} ${data[name]}, expected ${expected[name]}`);
  }
}
