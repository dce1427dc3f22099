import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { prices } from '../shared/core/cost/prices.ts';
import type { FunctionSpec } from './function-specs.ts';

const period = Duration.hours(1);
/** States that a round of one tile enters: the seven steps, two choices of way, and the map's one item. */
const transitionsPerRound = 10;

/**
 * What functions, workflow and API cost in an hour, from CloudWatch's own metrics and the price table. Storage, S3 and
 * DynamoDB requests and traffic are not in it: they have no metric that costs nothing.
 */
export function dollarsAnHour(
  functions: readonly { readonly metricOf: LambdaFunction; readonly spec: FunctionSpec }[],
  machine: StateMachine,
  api: HttpApi,
): MathExpression {
  const usingMetrics: Record<string, IMetric> = {
    rounds: machine.metricStarted({ period, statistic: 'sum' }),
    requests: api.metricCount({ period, statistic: 'sum' }),
  };
  const terms = [
    `FILL(rounds, 0) * ${plain(transitionsPerRound * prices['states.transitions'])}`,
    `FILL(requests, 0) * ${plain(prices['http.requests'])}`,
  ];
  functions.forEach(({ metricOf, spec }, i) => {
    usingMetrics[`duration${i}`] = metricOf.metricDuration({ period, statistic: 'sum' });
    usingMetrics[`calls${i}`] = metricOf.metricInvocations({ period, statistic: 'sum' });
    const gbSecond = spec.onnxRuntime ? prices['lambda.x86GbSeconds'] : prices['lambda.armGbSeconds'];
    terms.push(`FILL(duration${i}, 0) * ${plain((spec.memoryMb / 1024 / 1000) * gbSecond)}`);
    terms.push(`FILL(calls${i}, 0) * ${plain(prices['lambda.requests'])}`);
  });
  return new MathExpression({ expression: terms.join(' + '), label: 'USD', period, usingMetrics });
}

/** CloudWatch reads the `e` of 6e-9 as the name of a metric. */
const plain = (price: number): string => price.toFixed(15);
