import { openUpload } from '../shared/orchestrator/open-upload.ts';
import { uploadRequestSchema } from '../shared/wire/api.ts';
import { ticketIdSchema } from '../shared/wire/names.ts';
import { awsPorts } from './aws/ports.ts';
import { clientApi } from './client-api.ts';
import { parse } from './http.ts';

const ports = awsPorts('rounds', 'updates', 'clock', 'clients');

export const handler = clientApi(async ({ caller: { client }, path, body }) => {
  const ticket = parse(ticketIdSchema, path.ticket);
  return { status: 200, body: await openUpload(ports, ticket, { client, ...parse(uploadRequestSchema, body) }) };
});
