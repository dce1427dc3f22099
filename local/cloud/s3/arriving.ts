import type { Readable } from 'node:stream';

/** Bytes that may wait here before the sender is stopped. */
const windowBytes = 1 << 20;

/**
 * A request's body, chunk by chunk as the socket gave them. A stream's own iterator joins what has gathered, at the price
 * of a copy. Ends the request when its reader leaves early.
 * @throws whatever broke the connection
 */
export async function* arriving(message: Readable): AsyncGenerator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let end: { readonly error?: unknown } | undefined;
  let wake = () => {};
  const finish = (reason: { readonly error?: unknown }) => {
    end ??= reason;
    wake();
  };
  message.on('data', (chunk: Uint8Array) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes >= windowBytes) message.pause();
    wake();
  });
  message.once('end', () => finish({}));
  message.once('error', (error) => finish({ error }));
  const closed = Object.assign(new Error('the connection was closed before the body ended'), { code: 'ECONNRESET' });
  message.once('close', () => finish({ error: closed }));
  if (message.destroyed) finish({ error: closed });
  try {
    for (;;) {
      const chunk = waiting.shift();
      if (chunk) {
        waitingBytes -= chunk.length;
        if (waitingBytes === 0) message.resume();
        yield chunk;
      } else if (!end) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else if ('error' in end) throw end.error;
      else return;
    }
  } finally {
    if (!end) message.destroy();
  }
}
