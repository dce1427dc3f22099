import { FlError } from '../../shared/core/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Sends a request once. @throws {FlError} `network`, to be tried again, or `answer-too-long`; the signal's reason */
export async function sendOnce(
  transport: Transport,
  what: string,
  request: TransportRequest,
): Promise<TransportResponse> {
  try {
    return await transport(request);
  } catch (cause) {
    request.signal?.throwIfAborted();
    const tooLong = cause instanceof RangeError;
    throw new FlError(tooLong ? 'answer-too-long' : 'network', `${what}: ${reasonOf(cause)}`, {
      retry: tooLong ? 'never' : 'now',
      cause,
    });
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
