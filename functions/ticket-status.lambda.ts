import { ticketStatus } from '../shared/orchestrator/open-upload.ts';
import { ticketIdSchema } from '../shared/wire/names.ts';

import { awsPorts } from './aws/ports.ts';
import { clientApi } from './client-api.ts';
import { parse } from './http.ts';

const ports = awsPorts('rounds');

export const handler = clientApi(async ({ caller: { client }, path }) => {
  const ticket = parse(ticketIdSchema, path.ticket);
  return { status: 200, body: await ticketStatus(ports, ticket, client) };
});
