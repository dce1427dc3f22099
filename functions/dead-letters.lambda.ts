import { dropDeadLetters, listDeadLetters, redriveDeadLetters } from '../shared/orchestrator/dead-letters.ts';
import { deadLetterChoiceSchema } from '../shared/wire/dead-letters.ts';
import { routes } from '../shared/wire/routes.ts';
import { awsDeadLetters } from './aws/dead-letters.ts';
import { byRoute } from './by-route.ts';
import { api, parse } from './http.ts';

const ports = awsDeadLetters();

export const handler = api(
  byRoute({
    [routes.listDeadLetters]: () => listDeadLetters(ports),
    [routes.redriveDeadLetters]: ({ body }) => redriveDeadLetters(ports, parse(deadLetterChoiceSchema, body)),
    [routes.dropDeadLetters]: ({ body }) => dropDeadLetters(ports, parse(deadLetterChoiceSchema, body)),
  }),
);
