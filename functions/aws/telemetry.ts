import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { TaskId } from '../../shared/core/names.ts';
import type { Telemetry } from '../../shared/ports/workflow.ts';
import type { Metrics as Measurements } from '../../shared/wire/api.ts';
import { metricsNamespace, metricsService } from '../env.ts';

/** CloudWatch metrics in the embedded metric format. The task is the only dimension: each combination is billed. */
export class EmfTelemetry implements Telemetry {
  record(task: TaskId, measurements: Measurements, properties: Readonly<Record<string, string | number>> = {}): void {
    const metrics = new Metrics({ namespace: metricsNamespace, serviceName: metricsService });
    metrics.addDimension('task', task);
    for (const [name, value] of Object.entries(measurements)) metrics.addMetric(name, unitOf(name), value);
    for (const [name, value] of Object.entries(properties)) metrics.addMetadata(name, String(value));
    metrics.publishStoredMetrics();
  }
}

function unitOf(name: string) {
  if (name.endsWith('Seconds')) return MetricUnit.Seconds;
  if (name.startsWith('Updates') || name.startsWith('Rounds')) return MetricUnit.Count;
  return MetricUnit.NoUnit;
}
