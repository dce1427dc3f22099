import { createTask, rollback, startTask, stopTask } from '../shared/orchestrator/task-lifecycle.ts';
import { createTaskSchema, rollbackSchema } from '../shared/wire/api.ts';
import { taskIdSchema } from '../shared/wire/names.ts';
import { routes } from '../shared/wire/routes.ts';

import { awsPorts } from './aws/ports.ts';
import { byRoute } from './by-route.ts';
import { type ApiRequest, api, parse } from './http.ts';

const ports = awsPorts('rounds', 'models', 'updates', 'queue', 'starter', 'gauge', 'clock', 'telemetry');
const taskOf = ({ path }: ApiRequest) => parse(taskIdSchema, path.task);

export const handler = api(
  byRoute({
    [routes.createTask]: ({ body }) => createTask(ports, parse(createTaskSchema, body)),
    [routes.startTask]: async (request) => {
      await startTask(ports, taskOf(request));
      return { task: taskOf(request), state: 'running' };
    },
    [routes.stopTask]: async (request) => {
      await stopTask(ports, taskOf(request));
      return { task: taskOf(request), state: 'stopped' };
    },
    [routes.rollback]: async (request) => {
      const { version } = parse(rollbackSchema, request.body);
      return { task: taskOf(request), version: await rollback(ports, taskOf(request), version) };
    },
  }),
);
