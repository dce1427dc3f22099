import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { names, readSettings } from './settings.ts';
import { TributaryStack } from './tributary-stack.ts';

const app = new App();
const settings = readSettings(app.node);
const { stack } = names(settings, { account: '', region: '' });
new TributaryStack(app, stack, {
  stackName: stack,
  settings,
  description: 'Tributary: federated learning with no server to keep running',
  analyticsReporting: false,
});
// cfn-lint's schema of a dashboard has no tags yet.
const untagged = { excludeResourceTypes: ['AWS::CloudWatch::Dashboard'] };
Tags.of(app).add('project', 'tributary', untagged);
Tags.of(app).add('stage', settings.stage, untagged);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
