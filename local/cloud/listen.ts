import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { LocalService } from './service.ts';

/** Starts `server` on 127.0.0.1. Closing drops open connections. @param port 0 for any free one */
export async function listen(server: Server, port = 0): Promise<LocalService> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** `preferred` if nobody has it, else 0: URLs survive a restart where they can. */
export async function freePort(preferred: number | undefined): Promise<number> {
  if (preferred === undefined || preferred === 0) return 0;
  const probe = createServer();
  try {
    const { close } = await listen(probe, preferred);
    await close();
    return preferred;
  } catch {
    return 0;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address.port;
}
