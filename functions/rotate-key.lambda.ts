import { rotateKey } from '../shared/orchestrator/enrol.ts';
import { rotateSchema } from '../shared/wire/identity/api.ts';
import { awsPorts } from './aws/ports.ts';
import { clientApi } from './client-api.ts';
import { parse } from './http.ts';

const ports = awsPorts('identities', 'clock');

export const handler = clientApi(async ({ caller, body, address }) => ({
  status: 201,
  body: await rotateKey(ports, caller, parse(rotateSchema, body), address),
}));
