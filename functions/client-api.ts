import { z } from 'zod';
import { FlError } from '../shared/core/errors.ts';
import { type Authorized, mostRequestsPerMinute } from '../shared/orchestrator/authorize.ts';
import { digestOf } from '../shared/wire/identity/proof.ts';
import { clientIdSchema } from '../shared/wire/names.ts';
import { type ApiReply, type ApiRequest, api } from './http.ts';

/** A request of a client that has proved who it is. */
export interface ClientRequest extends ApiRequest {
  readonly caller: Pick<Authorized, 'client' | 'kid'>;
}

/** What the authorizer passed on. */
const authorizerSchema = z.object({
  lambda: z.object({
    client: clientIdSchema,
    kid: z.string().min(1),
    digest: z.string().min(1),
    pace: z.enum(['fine', 'too-fast']),
  }),
});

/** A function behind a client route: the authorizer saw everything of the request but its body, which is compared here. */
export function clientApi(answer: (request: ClientRequest) => Promise<ApiReply>) {
  return api(async (request, { requestContext }) => {
    // A route that lost its authorizer is a fault of ours: it throws, and answers nobody.
    const { client, kid, digest, pace } = authorizerSchema.parse(requestContext.authorizer).lambda;
    if ((await digestOf(request.bytes)) !== digest) throw new FlError('proof-digest', 'the proof is for another body');
    if (pace === 'too-fast') {
      const why = `client "${client}" makes more than ${mostRequestsPerMinute} requests a minute`;
      throw new FlError('client-too-fast', why, { retry: 'later', retryAfterMs: 60_000 });
    }
    return answer({ ...request, caller: { client, kid } });
  });
}
