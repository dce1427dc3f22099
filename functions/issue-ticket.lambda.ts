import { issueTicket } from '../shared/orchestrator/issue-ticket.ts';
import { ticketRequestSchema } from '../shared/wire/api.ts';
import { taskIdSchema } from '../shared/wire/names.ts';

import { awsPorts } from './aws/ports.ts';
import { clientApi } from './client-api.ts';
import { parse } from './http.ts';

const ports = awsPorts('rounds', 'models', 'clock', 'secrets');

export const handler = clientApi(async ({ caller: { client }, path, body }) => {
  const task = parse(taskIdSchema, path.task);
  const { have } = parse(ticketRequestSchema, body);
  return { status: 201, body: await issueTicket(ports, task, { client, have }) };
});
