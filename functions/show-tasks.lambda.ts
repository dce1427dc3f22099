import { z } from 'zod';
import { listTasks, listVersions, showTask, showVersion } from '../shared/orchestrator/show-task.ts';
import { taskIdSchema } from '../shared/wire/names.ts';
import { routes } from '../shared/wire/routes.ts';

import { awsPorts } from './aws/ports.ts';
import { byRoute } from './by-route.ts';
import { type ApiRequest, api, parse } from './http.ts';

const ports = awsPorts('rounds', 'models', 'clock', 'sealer');
const taskOf = ({ path }: ApiRequest) => parse(taskIdSchema, path.task);
const versionOf = ({ path }: ApiRequest) => parse(z.coerce.number().int().min(0), path.version);

export const handler = api(
  byRoute({
    [routes.listTasks]: async () => ({ tasks: await listTasks(ports) }),
    [routes.showTask]: (request) => showTask(ports, taskOf(request)),
    [routes.listVersions]: async (request) => ({ versions: await listVersions(ports, taskOf(request)) }),
    [routes.showSealKey]: () => ports.sealer.publicKey(),
    [routes.showVersion]: (request) => showVersion(ports, taskOf(request), versionOf(request)),
  }),
);
