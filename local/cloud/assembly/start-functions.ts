import type { InvocationResult } from '../lambda/invocation.ts';
import { createLambda, type LambdaService } from '../lambda/lambda-service.ts';
import { type MetricRecord, readMetrics } from '../logs/embedded-metrics.ts';
import { createFunctionLogs } from '../logs/function-logs.ts';
import type { FunctionPlan } from '../template/plan.ts';
import type { Ground } from './ground.ts';

export interface Functions extends LambdaService {
  /** Folder with `<function>.log`. */
  readonly logs: string;
  onMetrics(listener: (record: MetricRecord) => void): () => void;
  /** `invoke`, held until the whole cloud is up. */
  invokeWhenReady(functionArn: string, event: unknown): Promise<InvocationResult>;
}

/** Starts what runs functions; no process yet. @param variables a function's environment, asked for when a process starts */
export async function startFunctions(
  ground: Ground,
  variables: (plan: FunctionPlan) => NodeJS.ProcessEnv,
): Promise<Functions> {
  const { plan, meter, concurrency, denials } = ground;
  const folder = ground.path('logs');
  const logs = createFunctionLogs(folder);
  const listeners = new Set<(record: MetricRecord) => void>();
  const lambda = await createLambda({
    functions: plan.functions,
    meter,
    concurrency,
    variables,
    line({ name }, text) {
      logs.write(name, text);
      for (const record of readMetrics(name, text)) for (const listener of listeners) listener(record);
    },
    unknownService({ name }, description) {
      const message = `function ${name} called an AWS service that the local cloud does not run: ${description}`;
      denials.add({ principal: `function ${name}`, action: description, resource: '*', message });
    },
  });
  ground.onClose(async () => {
    await lambda.close();
    await logs.close();
  });
  return {
    ...lambda,
    logs: folder,
    onMetrics(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async invokeWhenReady(functionArn, event) {
      await ground.ready;
      return lambda.invoke(functionArn, event);
    },
  };
}
