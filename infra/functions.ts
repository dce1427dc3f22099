import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as Lambda,
  type Function as LambdaFunction,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type EnvKey, envNames } from '../functions/env.ts';
import { acknowledge } from './acknowledge.ts';
import { addOnnxRuntime, bundleFunctions } from './bundle.ts';
import { type FunctionName, type FunctionSpec, functionNames, functionSpecs, type Grants } from './function-specs.ts';
import type { Names, Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/** All functions, each with its log group and a role that allows what its spec says and no more. */
export class Functions extends Construct {
  readonly byName: Readonly<Record<FunctionName, LambdaFunction>>;

  constructor(
    scope: Construct,
    id: string,
    parts: { settings: Settings; names: Names; storage: Storage; roundMachineArn: string; roundExecutionsArn: string },
  ) {
    super(scope, id);
    const { settings, names, storage, roundMachineArn, roundExecutionsArn } = parts;
    const folders = bundleFunctions(functionNames.map((name) => functionSpecs[name].entry));
    const environment: Record<EnvKey, string> = {
      table: storage.table.tableName,
      modelsBucket: storage.models.bucketName,
      updatesBucket: storage.updates.bucketName,
      arrivalsQueueUrl: storage.arrivals.queueUrl,
      deadLettersQueueUrl: storage.deadLetters.queueUrl,
      roundMachineArn,
      sealKeyArn: storage.sealKey.keyArn,
    };
    const make = (name: FunctionName): LambdaFunction => {
      const spec: FunctionSpec = functionSpecs[name];
      const folder = folders[functionSpecs[name].entry];
      if (spec.onnxRuntime) addOnnxRuntime(folder);
      const functionName = `${names.prefix}-${spec.entry}`;
      const logGroup = new LogGroup(this, `${name}Logs`, {
        logGroupName: `/aws/lambda/${functionName}`,
        retention: settings.logRetentionDays,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      const role = new Role(this, `${name}Role`, {
        assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
        description: spec.about,
      });
      logGroup.grantWrite(role);
      for (const statement of statements(spec.may, storage, { roundMachineArn, roundExecutionsArn }))
        role.addToPolicy(statement);
      acknowledgePrefixes(role, spec.may, storage);
      if (spec.may.startRounds) {
        const executions = `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${names.roundMachine}:*`;
        acknowledge(role, `AwsSolutions-IAM5[Resource::${executions}]`, 'Executions are named when they start.');
      }
      return new Lambda(this, name, {
        functionName,
        description: spec.about,
        runtime: Runtime.NODEJS_24_X,
        architecture: spec.onnxRuntime ? Architecture.X86_64 : Architecture.ARM_64,
        handler: 'index.handler',
        code: Code.fromAsset(folder),
        memorySize: name === 'Aggregate' ? settings.aggregatorMemoryMb : spec.memoryMb,
        timeout: Duration.seconds(spec.timeoutSeconds),
        role,
        logGroup,
        environment: {
          ...Object.fromEntries(spec.environment.map((key) => [envNames[key], environment[key]])),
          POWERTOOLS_LOG_LEVEL: 'INFO',
          ...(spec.streams ? { NODE_OPTIONS: '--max-semi-space-size=1' } : {}),
        },
      });
    };
    this.byName = Object.fromEntries(functionNames.map((name) => [name, make(name)])) as Record<
      FunctionName,
      LambdaFunction
    >;
    this.byName.AdmitUpdate.addEventSource(
      new SqsEventSource(storage.arrivals, {
        batchSize: 10,
        maxConcurrency: settings.admitConcurrency,
        reportBatchItemFailures: true,
      }),
    );
  }
}

function statements(
  may: Grants,
  { table, models, updates, arrivals, deadLetters, sealKey }: Storage,
  { roundMachineArn, roundExecutionsArn }: { roundMachineArn: string; roundExecutionsArn: string },
) {
  const allow = (service: string, actions: readonly string[] | undefined, resource: string) =>
    actions
      ? [new PolicyStatement({ actions: actions.map((action) => `${service}:${action}`), resources: [resource] })]
      : [];
  return [
    ...allow('dynamodb', may.table, table.tableArn),
    ...allow('s3', may.models, models.arnForObjects('tasks/*')),
    ...allow('s3', may.listModels && ['ListBucket'], models.bucketArn),
    ...allow('s3', may.updates, updates.arnForObjects('updates/*')),
    ...allow('s3', may.listUpdates && ['ListBucket'], updates.bucketArn),
    ...allow('sqs', may.startRounds && ['SendMessage'], arrivals.queueArn),
    ...allow('kms', may.sealKey, sealKey.keyArn),
    ...allow('sqs', may.deadLetters, deadLetters.queueArn),
    ...allow('sqs', may.deadLetters && ['SendMessage'], arrivals.queueArn),
    ...allow('states', may.startRounds && ['StartExecution'], roundMachineArn),
    ...allow('states', may.startRounds && ['DescribeExecution'], roundExecutionsArn),
  ];
}

/** Object keys cannot be listed in a policy: the prefix is as narrow as it gets. */
function acknowledgePrefixes(role: Role, may: Grants, { models, updates }: Storage): void {
  const prefixes = [
    may.models && { bucket: models, prefix: 'tasks' },
    may.updates && { bucket: updates, prefix: 'updates' },
  ];
  for (const { bucket, prefix } of prefixes.flatMap((each) => each ?? [])) {
    const bucketId = Stack.of(bucket).getLogicalId(bucket.node.defaultChild as CfnBucket);
    acknowledge(
      role,
      `AwsSolutions-IAM5[Resource::<${bucketId}.Arn>/${prefix}/*]`,
      'Objects are made at run time; the grant ends at the prefix that this function works on.',
    );
  }
}
