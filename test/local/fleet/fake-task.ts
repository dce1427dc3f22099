import { decodeJwt } from 'jose';
import type { Transport, TransportRequest, TransportResponse } from '../../../client/typescript/transport.ts';
import { layoutOf } from '../../../shared/core/params.ts';
import { encodeSafetensors } from '../../../shared/wire/safetensors.ts';
import { json, problem, put, ticket } from '../../client/fake-server.ts';

const layout = layoutOf([{ name: 'w', shape: [2] }]);
const ok: TransportResponse = { status: 200, headers: {}, body: new Uint8Array() };

/** Who a request says has signed it. */
export function signerOf({ headers }: TransportRequest): string | undefined {
  const [scheme, proof] = headers?.authorization?.split(' ') ?? [];
  return scheme === 'Tributary' ? decodeJwt(proof).sub : undefined;
}

/** A task as clients see it: `cap` open tickets at once, one a client, ended after `updates` updates. */
export function fakeTask({ cap, updates }: { readonly cap: number; readonly updates: number }): {
  readonly transport: Transport;
  /** Clients in the order in which they asked for and got tickets, and in which they uploaded. */
  readonly issued: string[];
  readonly uploaded: string[];
  readonly refused: string[];
  /** The most requests for a ticket that were under way at once. */
  mostAsking: number;
} {
  const open = new Map<string, string>();
  const seen = { issued: [] as string[], uploaded: [] as string[], refused: [] as string[], mostAsking: 0 };
  let asking = 0;

  const issue = async (client: string): Promise<TransportResponse> => {
    seen.mostAsking = Math.max(seen.mostAsking, ++asking);
    await new Promise((resolve) => setImmediate(resolve));
    asking--;
    if (seen.uploaded.length >= updates) return problem(410, 'task-ended');
    const full = open.size >= cap ? 'cohort-full' : [...open.values()].includes(client) ? 'client-busy' : undefined;
    if (full) {
      seen.refused.push(client);
      return problem(429, full, { retryAfterMs: 500 });
    }
    const id = String(seen.issued.length).padStart(43, 'T');
    open.set(id, client);
    seen.issued.push(client);
    return json(200, { ...ticket, client, ticket: id });
  };

  const transport: Transport = async (request) => {
    const { method, url } = request;
    const { pathname } = new URL(url);
    if (pathname.endsWith('/tickets')) return issue(signerOf(request) ?? 'nobody');
    if (pathname.endsWith('/upload')) {
      const id = pathname.split('/')[3];
      return json(200, { ...put, url: `http://s3.test/put/${id}` });
    }
    if (method === 'PUT') {
      const id = pathname.split('/')[2];
      seen.uploaded.push(open.get(id) ?? 'nobody');
      open.delete(id);
      return ok;
    }
    if (pathname === '/model') return { ...ok, body: encodeSafetensors({ layout, values: Float32Array.of(1, 2) }) };
    return { ...ok, body: new TextEncoder().encode('abc') };
  };
  return Object.assign(seen, { transport });
}
