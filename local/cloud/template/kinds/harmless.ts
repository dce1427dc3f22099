import { arn, type Kind } from './kind.ts';

interface Harmless {
  /** Why a run without it is the same run. */
  readonly reason: string;
  readonly nameProperty?: string;
  readonly ref?: Kind['ref'];
  readonly attributes?: Kind['attributes'];
}

const watches = 'it watches and does not act; metrics are published to subscribers of the local cloud';
const notifies = 'it carries alarms to people; the local cloud raises no alarm';

/** Resource types that need nothing locally, each with its reason. Any property of theirs is accepted. */
export const harmless: Readonly<Record<string, Harmless>> = {
  'AWS::CDK::Metadata': { reason: 'usage statistics of the CDK' },
  'AWS::CloudWatch::Dashboard': { reason: watches, nameProperty: 'DashboardName' },
  'AWS::CloudWatch::Alarm': {
    reason: watches,
    nameProperty: 'AlarmName',
    attributes: { Arn: ({ name }) => arn('cloudwatch', `alarm:${name}`) },
  },
  'AWS::CloudWatch::CompositeAlarm': {
    reason: watches,
    nameProperty: 'AlarmName',
    attributes: { Arn: ({ name }) => arn('cloudwatch', `alarm:${name}`) },
  },
  'AWS::Logs::LogGroup': {
    reason: 'each function logs to a file of its own',
    nameProperty: 'LogGroupName',
    attributes: { Arn: ({ name }) => arn('logs', `log-group:${name}:*`) },
  },
  'AWS::Logs::MetricFilter': { reason: watches },
  'AWS::Logs::QueryDefinition': { reason: watches },
  'AWS::SNS::Topic': {
    reason: notifies,
    nameProperty: 'TopicName',
    ref: ({ name }) => arn('sns', name),
    attributes: { TopicArn: ({ name }) => arn('sns', name), TopicName: ({ name }) => name },
  },
  'AWS::SNS::TopicPolicy': { reason: notifies },
  'AWS::SNS::Subscription': { reason: notifies },
};

export const harmlessKinds: Readonly<Record<string, Kind>> = Object.fromEntries(
  Object.entries(harmless).map(([type, { nameProperty, ref, attributes }]): [string, Kind] => [
    type,
    {
      nameProperty,
      nameOf: (stackName, logicalId) => `${stackName}-${logicalId}`,
      ref: ref ?? (({ name }) => name),
      attributes: attributes ?? {},
      add() {},
    },
  ]),
);
