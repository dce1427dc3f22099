import { z } from 'zod';

/** Text that every store takes and every language reads alike: no halves of surrogate pairs, no NUL. */
export const text = (mostCharacters: number) =>
  z
    .string()
    .max(mostCharacters)
    .refine((given) => given.isWellFormed() && !given.includes('\0'), 'must be Unicode text without NUL');
