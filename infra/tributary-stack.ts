import { ArnFormat, CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Api } from './api.ts';
import { Functions } from './functions.ts';
import { Monitoring } from './monitoring.ts';
import { RoundMachine } from './round-machine.ts';
import { names, type Settings } from './settings.ts';
import { Storage } from './storage.ts';

/** One federation: everything that a deployment holds. */
export class TributaryStack extends Stack {
  constructor(scope: Construct, id: string, { settings, ...props }: StackProps & { settings: Settings }) {
    super(scope, id, props);
    const own = names(settings, this);
    const storage = new Storage(this, 'Storage', settings, own);
    // By name: the machine invokes functions that start the machine.
    const states = (resource: string, resourceName: string) =>
      this.formatArn({ service: 'states', resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    const roundMachineArn = states('stateMachine', own.roundMachine);
    const roundExecutionsArn = states('execution', `${own.roundMachine}:*`);
    const functions = new Functions(this, 'Functions', {
      settings,
      names: own,
      storage,
      roundMachineArn,
      roundExecutionsArn,
    });
    const rounds = new RoundMachine(this, 'Rounds', own, functions.byName);
    const { api } = new Api(this, 'Api', { settings, names: own, functions: functions.byName });
    new Monitoring(this, 'Monitoring', {
      settings,
      names: own,
      storage,
      functions: functions.byName,
      machine: rounds.machine,
      api,
    });
    const outputs = {
      ApiUrl: api.apiEndpoint,
      ModelsBucket: storage.models.bucketName,
      UpdatesBucket: storage.updates.bucketName,
      TableName: storage.table.tableName,
      RoundMachineArn: roundMachineArn,
      DashboardName: own.dashboard,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
