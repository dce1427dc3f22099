import { enrol } from '../shared/orchestrator/enrol.ts';
import { enrolSchema } from '../shared/wire/identity/api.ts';
import { digestOf } from '../shared/wire/identity/proof.ts';
import { awsPorts } from './aws/ports.ts';
import { api, parse } from './http.ts';

const ports = awsPorts('identities', 'clock');

export const handler = api(async ({ body, bytes, authorization, address }) => {
  const sent = { authorization, address, digest: await digestOf(bytes) };
  return { status: 201, body: await enrol(ports, parse(enrolSchema, body), sent) };
});
