import { openUpload } from '../shared/orchestrator/open-upload.ts';
import { uploadRequestSchema } from '../shared/wire/api.ts';
import { ticketIdSchema } from '../shared/wire/names.ts';
import { awsPorts } from './aws/ports.ts';
import { api, parse } from './http.ts';

const ports = awsPorts('rounds', 'updates', 'clock');

export const handler = api(async ({ path, body }) => {
  const ticket = parse(ticketIdSchema, path.ticket);
  return { status: 200, body: await openUpload(ports, ticket, parse(uploadRequestSchema, body)) };
});
