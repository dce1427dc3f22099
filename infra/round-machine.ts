import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { DefinitionBody, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { FunctionName } from './function-specs.ts';
import { type RoundStep, roundDefinition, roundSteps } from './round-definition.ts';
import type { Names } from './settings.ts';

/** The state machine that turns one buffer into one version: one execution a round. */
export class RoundMachine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, names: Names, functions: Readonly<Record<FunctionName, IFunction>>) {
    super(scope, id);
    const arns = Object.fromEntries(roundSteps.map((step) => [step, functions[step].functionArn]));
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: names.roundMachine,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(
        Stack.of(this).toJsonString(roundDefinition(arns as Record<RoundStep, string>)),
      ),
      timeout: Duration.hours(2),
    });
    this.machine.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: Object.values(arns) }),
    );
    this.letRunDistributedMaps(names);
    const history = 'Standard executions keep their full history for 90 days.';
    acknowledge(
      this.machine,
      'AwsSolutions-SF1',
      `${history} Logging every event again would double the cost of a round.`,
    );
    acknowledge(this.machine, 'AwsSolutions-SF2', `${history} Tracing is left to who needs it.`);
  }

  /** A distributed Map runs its cells as executions of the machine that it is in. */
  private letRunDistributedMaps({ roundMachine }: Names): void {
    const arn = (resource: string, resourceName: string) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource,
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    this.machine.addToRolePolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [arn('stateMachine', roundMachine)] }),
    );
    this.machine.addToRolePolicy(
      new PolicyStatement({
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: [arn('execution', `${roundMachine}:*`)],
      }),
    );
    const executions = `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${roundMachine}:*`;
    acknowledge(this.machine, `AwsSolutions-IAM5[Resource::${executions}]`, 'Cells are named when they start.');
  }
}
