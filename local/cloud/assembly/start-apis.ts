import { createHttpApi, type HttpApi } from '../http-api/http-api.ts';
import { matchesGlob } from '../iam/glob.ts';
import type { PermissionPlan } from '../template/plan.ts';
import type { Ground } from './ground.ts';
import type { Functions } from './start-functions.ts';

export interface RunningApi {
  readonly id: string;
  readonly logicalId: string;
  readonly service: HttpApi;
}

/** Starts every HTTP API of the plan. */
export function startApis(ground: Ground, functions: Functions): Promise<RunningApi[]> {
  const { plan, guard, meter, principals, log } = ground;
  return Promise.all(
    plan.apis.map(async (api) => {
      const service = await ground.start(`api/${api.logicalId}`, (port) =>
        createHttpApi({
          plan: api,
          guard,
          meter,
          port,
          arnOf: principals.arnOf,
          mayInvoke: (functionArn, sourceArn) =>
            plan.permissions.some((grant) => allows(grant, functionArn, sourceArn)),
          invoke: functions.invokeWhenReady,
          fault: log,
        }),
      );
      return { id: api.id, logicalId: api.logicalId, service };
    }),
  );
}

function allows(grant: PermissionPlan, functionArn: string, sourceArn: string): boolean {
  return (
    grant.functionArn === functionArn &&
    grant.principal === 'apigateway.amazonaws.com' &&
    matchesGlob(grant.sourceArn ?? '*', sourceArn)
  );
}
