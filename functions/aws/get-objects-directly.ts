import type { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { BodyChunks, GetBody } from './get-body.ts';
import { GetConnection, type Origin } from './get-connection.ts';

/** Connections that wait for the next GET: two groups of rows of the weighted sum. */
const maxIdle = 16;

/** What we read of the request that the SDK is about to send; anything else in it is left to the SDK's own handler. */
const requestSchema = z.object({
  method: z.literal('GET'),
  protocol: z.enum(['http:', 'https:']),
  hostname: z.string(),
  port: z.number().optional(),
  path: z.string(),
  query: z.record(z.string(), z.string()),
  headers: z.record(z.string(), z.string().regex(/^[\x20-\x7e]*$/)),
});

/**
 * Makes a client fetch objects over `GetConnection`. The SDK signs, reads the answer and tries again as ever. What is not
 * plainly an object, or fails before its body, is asked again through Node's HTTP client, whose answers the SDK knows.
 */
export function getObjectsDirectly(client: S3Client): void {
  const connections = new Connections();
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const response = commandName === 'GetObjectCommand' ? await get(connections, args.request) : undefined;
        return response ? { response } : next(args);
      },
    // The innermost of the stack: in the place of the client's own request handler.
    { name: 'getObjectsDirectly', step: 'deserialize', priority: 'low' },
  );
}

async function get(connections: Connections, sdkRequest: unknown) {
  const { data: request } = requestSchema.safeParse(sdkRequest);
  if (!request) return undefined;
  const { protocol, hostname, port = protocol === 'https:' ? 443 : 80, path, query, headers } = request;
  const pairs = Object.entries(query).map((pair) => pair.map(encodeURIComponent).join('='));
  const target = pairs.length > 0 ? `${path}?${pairs.join('&')}` : path;
  const origin = { protocol, hostname, port };
  const connection = connections.take(origin);
  const head = await connection.get(target, headers).catch(() => undefined);
  if (!head) return undefined;
  const body = new GetBody(new BodyChunks(connection, () => connections.giveBack(origin, connection)));
  return { statusCode: head.status, headers: head.headers, body };
}

/** The connections that wait for their next GET. */
class Connections {
  readonly #idle = new Map<string, GetConnection[]>();

  take(origin: Origin): GetConnection {
    const idle = this.#idleOf(origin);
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (!connection.isIdle) continue;
      connection.holdProcess(true);
      return connection;
    }
    return new GetConnection(origin);
  }

  giveBack(origin: Origin, connection: GetConnection): void {
    if (!connection.isIdle) return;
    const idle = this.#idleOf(origin);
    if (idle.length >= maxIdle) connection.destroy();
    else {
      connection.holdProcess(false);
      idle.push(connection);
    }
  }

  #idleOf({ protocol, hostname, port }: Origin): GetConnection[] {
    const key = `${protocol}//${hostname}:${port}`;
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    return idle;
  }
}
