import { z } from 'zod';
import { sqsError } from './errors.ts';

const receiptSchema = z.tuple([z.string(), z.string(), z.string()]);

/** What a receipt handle says: which message of which queue, and which receive. */
export interface Receipt {
  readonly id: string;
  readonly nonce: string;
}

export function receiptHandle(queue: string, { id, nonce }: Receipt): string {
  return Buffer.from(JSON.stringify([queue, id, nonce])).toString('base64url');
}

/** @throws {AwsJsonError} ReceiptHandleIsInvalid if it is malformed or of another queue */
export function parseReceiptHandle(queue: string, handle: string): Receipt {
  try {
    const [from, id, nonce] = receiptSchema.parse(JSON.parse(Buffer.from(handle, 'base64url').toString()));
    if (from === queue) return { id, nonce };
  } catch {
    // Falls through: whatever is wrong with it, the answer is the same.
  }
  throw sqsError('ReceiptHandleIsInvalid', `The receipt handle is not of queue ${queue}`);
}
