import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  SingleValueWidget,
  TextWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { metricsNamespace } from '../functions/env.ts';
import { dollarsAnHour } from './dollars.ts';
import { type FunctionName, functionNames, functionSpecs } from './function-specs.ts';
import type { Names, Settings } from './settings.ts';
import type { Storage } from './storage.ts';

interface Watched {
  readonly settings: Settings;
  readonly names: Names;
  readonly storage: Storage;
  readonly functions: Readonly<Record<FunctionName, LambdaFunction>>;
  readonly machine: StateMachine;
  readonly api: HttpApi;
}

/** The page that each alarm points to. */
const runbook = 'docs/runbook.md';
const period = Duration.minutes(1);

/** One dashboard for all tasks of the deployment, and the alarms that want a person. */
export class Monitoring extends Construct {
  constructor(scope: Construct, id: string, watched: Watched) {
    super(scope, id);
    const alarms = this.#alarms(watched);
    this.#sendTo(watched.settings.alarmEmail, alarms);
    const dashboard = new Dashboard(this, 'Dashboard', { dashboardName: watched.names.dashboard });
    for (const row of rows(watched)) dashboard.addWidgets(...row);
  }

  #alarms({ names, storage, machine, functions }: Watched): readonly Alarm[] {
    const alarm = (
      alarmId: string,
      heading: string,
      description: string,
      metric: IMetric,
      threshold: number,
      periods = 1,
    ) =>
      new Alarm(this, alarmId, {
        alarmName: `${names.prefix}-${heading}`,
        alarmDescription: `${description} Runbook: ${runbook}#${heading}`,
        metric,
        threshold,
        evaluationPeriods: periods,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
    const every = Duration.minutes(5);
    const hour = Duration.hours(1);
    return [
      alarm(
        'DeadLettersAlarm',
        'dead-letters',
        'Arrivals could not be admitted after five tries.',
        storage.deadLetters.metricApproximateNumberOfMessagesVisible({ period: every, statistic: 'max' }),
        1,
      ),
      alarm(
        'FailedRoundsAlarm',
        'failed-rounds',
        'A round failed; its updates are back in the buffer.',
        machine.metricFailed({ period: every, statistic: 'sum' }),
        1,
      ),
      alarm(
        'FailedEvaluationsAlarm',
        'failed-evaluations',
        'Versions are published without an evaluation; a target accuracy cannot end their task.',
        functions.Evaluate.metricErrors({ period: every, statistic: 'sum' }),
        1,
      ),
      alarm(
        'StuckArrivalsAlarm',
        'stuck-arrivals',
        'Uploads wait for admission for over 15 minutes.',
        storage.arrivals.metricApproximateAgeOfOldestMessage({ period: every, statistic: 'max' }),
        15 * 60,
      ),
      alarm(
        'StuckBufferAlarm',
        'stuck-buffer',
        'Updates have been admitted for three hours and no round has ended.',
        new MathExpression({
          expression: 'IF(FILL(handled, 0) > 0 AND FILL(ended, 0) == 0, 1, 0)',
          label: 'admissions without a round',
          period: hour,
          usingMetrics: {
            handled: storage.arrivals.metricNumberOfMessagesDeleted({ period: hour, statistic: 'sum' }),
            ended: machine.metricSucceeded({ period: hour, statistic: 'sum' }),
          },
        }),
        1,
        3,
      ),
    ];
  }

  #sendTo(email: string | undefined, alarms: readonly Alarm[]): void {
    if (email === undefined) return;
    const topic = new Topic(this, 'AlarmTopic', { enforceSSL: true });
    topic.addSubscription(new EmailSubscription(email));
    for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(topic));
  }
}

function rows({ storage, functions, machine, api }: Watched): readonly (readonly IWidget[])[] {
  const graph = (title: string, left: IMetric[], unit?: string) =>
    new GraphWidget({ title, left, width: 8, height: 6, leftYAxis: { label: unit, showUnits: false, min: 0 } });
  const all = functionNames.map((name) => functions[name]);
  return [
    [
      new TextWidget({
        markdown: '# Tributary\nOne line for each task. Alarms and what to do: `docs/runbook.md`.',
        width: 24,
        height: 2,
      }),
    ],
    [
      graph('Accuracy on the held-out set', [ofTasks('Accuracy', 'Average')]),
      graph('Loss on the held-out set', [ofTasks('Loss', 'Average')]),
      graph('Version', [ofTasks('Version', 'Maximum')]),
    ],
    [
      graph(
        'Staleness of updates',
        [ofTasks('Staleness', 'p50'), ofTasks('Staleness', 'p90'), ofTasks('Staleness', 'Maximum')],
        'versions',
      ),
      graph('Updates waiting for a round', [ofTasks('Buffered', 'Maximum'), ofTasks('OpenTickets', 'Maximum')]),
      graph('Updates', [
        ofTasks('UpdatesAdmitted', 'Sum'),
        ofTasks('UpdatesAggregated', 'Sum'),
        ofTasks('UpdatesQuarantined', 'Sum'),
      ]),
    ],
    [
      graph('Time from version to version', [ofTasks('RoundSeconds', 'Average')], 'seconds'),
      graph(
        'Time of a round execution',
        [machine.metricTime({ period, statistic: 'p50' }), machine.metricTime({ period, statistic: 'p99' })],
        'ms',
      ),
      graph(
        'Function durations, p90',
        all.map((each) => each.metricDuration({ period, statistic: 'p90' })),
        'ms',
      ),
    ],
    [
      graph('Function errors and throttles', [
        ...all.map((each) => each.metricErrors({ period })),
        ...all.map((each) => each.metricThrottles({ period })),
      ]),
      graph('Rounds failed, arrivals dead, API errors', [
        machine.metricFailed({ period }),
        storage.deadLetters.metricApproximateNumberOfMessagesVisible({ period, statistic: 'max' }),
        api.metricServerError({ period }),
        api.metricClientError({ period }),
      ]),
      new SingleValueWidget({
        title: 'Estimated dollars an hour (functions, workflow, API)',
        metrics: [
          dollarsAnHour(
            functionNames.map((name) => ({ metricOf: functions[name], spec: functionSpecs[name] })),
            machine,
            api,
          ),
        ],
        width: 8,
        height: 6,
        sparkline: true,
      }),
    ],
  ];
}

/** A metric of every task, found as they appear: tasks are made at run time. */
function ofTasks(metric: string, statistic: string): MathExpression {
  const search = `SEARCH('{${metricsNamespace},service,task} MetricName="${metric}"', '${statistic}', ${period.toSeconds()})`;
  return new MathExpression({ expression: search, label: `${metric} ${statistic}`, period, usingMetrics: {} });
}
