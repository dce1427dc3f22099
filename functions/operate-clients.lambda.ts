import { invite, listClients, revokeClient, showClient } from '../shared/orchestrator/clients.ts';
import { inviteSchema, revokeSchema } from '../shared/wire/identity/api.ts';
import { clientIdSchema } from '../shared/wire/names.ts';
import { routes } from '../shared/wire/routes.ts';
import { awsPorts } from './aws/ports.ts';
import { byRoute } from './by-route.ts';
import { type ApiRequest, api, parse } from './http.ts';

const ports = awsPorts('identities', 'rounds', 'codes', 'clock');
const clientOf = ({ path }: ApiRequest) => parse(clientIdSchema, path.client);

export const handler = api(
  byRoute({
    [routes.invite]: ({ body }) => invite(ports, parse(inviteSchema, body)),
    [routes.listClients]: ({ query }) => listClients(ports, parse(clientIdSchema.optional(), query.after)),
    [routes.showClient]: (request) => showClient(ports, clientOf(request)),
    [routes.revokeClient]: async (request) => {
      const { reason } = parse(revokeSchema, request.body ?? {});
      await revokeClient(ports, clientOf(request), reason);
      return { client: clientOf(request), state: 'revoked', reason };
    },
  }),
);
