import { ticketStatus } from '../shared/orchestrator/open-upload.ts';
import { clientIdSchema, ticketIdSchema } from '../shared/wire/names.ts';

import { awsPorts } from './aws/ports.ts';
import { api, parse } from './http.ts';

const ports = awsPorts('rounds');

export const handler = api(async ({ path, query }) => {
  const ticket = parse(ticketIdSchema, path.ticket);
  return { status: 200, body: await ticketStatus(ports, ticket, parse(clientIdSchema, query.client)) };
});
