import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import aslValidator from 'asl-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { envNames } from '../../functions/env.ts';
import { functionNames, functionSpecs } from '../../infra/function-specs.ts';
import { roundDefinition, roundSteps } from '../../infra/round-definition.ts';
import { type Synthesis, synthesize, type Template } from './synthesize.ts';

const root = join(import.meta.dirname, '..', '..');
const hasCfnLint = spawnSync('cfn-lint', ['--version']).status === 0;
let synthesis: Synthesis;
let template: Template;

beforeAll(() => {
  synthesis = synthesize();
  template = synthesis.template();
}, 120_000);

const ofType = (type: string) => Object.values(template.Resources).filter(({ Type }) => Type === type);

describe('the template', () => {
  test('synthesizes off-line, and cdk-nag has nothing to say', () => {
    expect(synthesis.status).toBe(0);
    expect(synthesis.output).not.toMatch(/ERROR|AwsSolutions-/);
  });

  test.skipIf(!hasCfnLint)(
    `has no error for cfn-lint${hasCfnLint ? '' : ' (skipped: cfn-lint is not on the PATH)'}`,
    () => {
      const lint = spawnSync('cfn-lint', [join(synthesis.dir, 'Tributary-dev.template.json')], { encoding: 'utf8' });
      expect(lint.stdout.split('\n').filter((line) => /^E\d{4}/.test(line))).toEqual([]);
      expect(lint.stdout + lint.stderr).not.toContain('Traceback');
    },
    120_000,
  );

  test('has no role that AWS manages for us, and no action or resource that is everything', () => {
    for (const role of ofType('AWS::IAM::Role')) expect(role.Properties?.ManagedPolicyArns).toBeUndefined();
    const text = JSON.stringify(ofType('AWS::IAM::Policy'));
    expect(text).not.toMatch(/"Resource":"\*"|"Action":"\*"|"(s3|dynamodb|sqs|states|lambda):\*"/);
  });

  test('keeps both buckets private, encrypted and behind TLS, and gives up unfinished uploads', () => {
    const buckets = ofType('AWS::S3::Bucket');
    expect(buckets).toHaveLength(2);
    for (const { Properties } of buckets) {
      expect(Properties?.PublicAccessBlockConfiguration).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(JSON.stringify(Properties?.LifecycleConfiguration)).toContain('AbortIncompleteMultipartUpload');
      expect(Properties?.BucketEncryption).toBeDefined();
    }
    expect(JSON.stringify(ofType('AWS::S3::BucketPolicy'))).toContain('aws:SecureTransport');
  });

  test('runs every function on Node 24, arm64 but for the one with onnxruntime', () => {
    const functions = ofType('AWS::Lambda::Function');
    expect(functions).toHaveLength(functionNames.length);
    for (const { Properties } of functions) {
      expect(Properties?.Runtime).toBe('nodejs24.x');
      const hasRuntime = /-(evaluate|root|losses)$/.test(String(Properties?.FunctionName));
      expect(Properties?.Architectures).toEqual([hasRuntime ? 'x86_64' : 'arm64']);
    }
  });

  test('gives every function the environment that its spec names, and no other', () => {
    const names: Set<string> = new Set(Object.values(envNames));
    for (const { Properties } of ofType('AWS::Lambda::Function')) {
      const variables =
        (Properties?.Environment as { Variables: Record<string, unknown> } | undefined)?.Variables ?? {};
      const name = functionNames.find(
        (each) => Properties?.FunctionName === `tributary-dev-${functionSpecs[each].entry}`,
      );
      const wanted = name ? functionSpecs[name].environment.map((key) => envNames[key]) : [];
      expect(
        Object.keys(variables)
          .filter((key) => names.has(key))
          .sort(),
      ).toEqual([...wanted].sort());
    }
  });

  test('asks clients for a proof each time and operators for an IAM signature, and lets only an enrolment in without', () => {
    const authorizers = ofType('AWS::ApiGatewayV2::Authorizer');
    expect(authorizers.map(({ Properties }) => Properties)).toMatchObject([
      {
        AuthorizerType: 'REQUEST',
        AuthorizerPayloadFormatVersion: '2.0',
        EnableSimpleResponses: true,
        AuthorizerResultTtlInSeconds: 0,
        IdentitySource: ['$request.header.Authorization'],
      },
    ]);
    const byAuthorization: Record<string, string[]> = {};
    for (const { Properties } of ofType('AWS::ApiGatewayV2::Route')) {
      const type = String(Properties?.AuthorizationType ?? 'NONE');
      byAuthorization[type] = [...(byAuthorization[type] ?? []), String(Properties?.RouteKey)].sort();
    }
    expect(byAuthorization.NONE).toEqual(['POST /v1/enrolments']);
    expect(byAuthorization.CUSTOM).toEqual([
      'GET /v1/tickets/{ticket}',
      'POST /v1/keys',
      'POST /v1/tasks/{task}/tickets',
      'POST /v1/tickets/{ticket}/upload',
    ]);
    expect(byAuthorization.AWS_IAM).toHaveLength(17);
  });

  test('lets pages of other origins sign their requests and read the date of an answer', () => {
    const [api] = ofType('AWS::ApiGatewayV2::Api');
    expect(api.Properties?.CorsConfiguration).toMatchObject({
      AllowHeaders: ['content-type', 'authorization'],
      ExposeHeaders: ['retry-after', 'date'],
    });
  });

  test('lets the authorizer read clients and take nonces, and do nothing else', () => {
    const policies = Object.entries(template.Resources).filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Policy' && id.includes('AuthorizeClientRole'),
    );
    expect(policies).toHaveLength(1);
    const text = JSON.stringify(policies[0][1].Properties?.PolicyDocument);
    expect([...text.matchAll(/"(?:dynamodb|s3|sqs|states|lambda):\w+"/g)].map(([action]) => action)).toEqual([
      '"dynamodb:GetItem"',
      '"dynamodb:PutItem"',
      '"dynamodb:UpdateItem"',
    ]);
  });

  test('waits six times the admission timeout before an arrival is seen again, and tries five times', () => {
    const arrivals = ofType('AWS::SQS::Queue').find(({ Properties }) => Properties?.RedrivePolicy)?.Properties;
    expect(arrivals?.VisibilityTimeout).toBeGreaterThanOrEqual(6 * functionSpecs.AdmitUpdate.timeoutSeconds);
    expect(arrivals?.RedrivePolicy).toMatchObject({ maxReceiveCount: 5 });
  });

  test('has an alarm for dead letters, failed rounds and stuck buffers, each with its chapter in the runbook', () => {
    const runbook = readFileSync(join(root, 'docs', 'runbook.md'), 'utf8');
    const alarms = ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => String(Properties?.AlarmDescription));
    expect(alarms).toHaveLength(5);
    for (const description of alarms) {
      const anchor = /docs\/runbook\.md#([a-z-]+)/.exec(description)?.[1] ?? '';
      const heading = `## ${anchor.replaceAll('-', ' ')}`;
      expect(runbook.toLowerCase()).toContain(heading);
    }
  });

  test('shows accuracy, loss, versions, staleness, buffer, updates, durations, errors and dollars on one dashboard', () => {
    const [dashboard] = ofType('AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard.Properties?.DashboardBody);
    for (const metric of [
      'Accuracy',
      'Loss',
      'Version',
      'Staleness',
      'Buffered',
      'UpdatesAdmitted',
      'UpdatesQuarantined',
      'RoundSeconds',
      'Errors',
      'USD',
    ]) {
      expect(body).toContain(metric);
    }
  });

  test('names every resource by stage, so that two deployments share an account', () => {
    const other = synthesize({ stage: 'prod' });
    expect(other.status).toBe(0);
    expect(JSON.stringify(other.template())).not.toContain('tributary-dev');
  }, 120_000);

  test('refuses a setting that it cannot use, by name', () => {
    const { status, output } = synthesize({ stage: 'No Such Stage!' });
    expect(status).not.toBe(0);
    expect(output).toContain('-c stage: a stage is 1 to 12');
  }, 120_000);
});

describe('the round state machine', () => {
  const arns = roundSteps.map((step) => [step, `arn:aws:lambda:us-east-1:000000000000:function:${step.toLowerCase()}`]);
  const definition = roundDefinition(Object.fromEntries(arns));

  test('is valid Amazon States Language', () => {
    const { isValid, errors } = aslValidator(definition, { checkPaths: true, checkArn: true });
    expect(errors).toEqual([]);
    expect(isValid).toBe(true);
  });

  test('retries every task, and releases the updates when a task fails for good', () => {
    // What a published version can do without.
    const passedOver = new Map([
      ['Evaluate', 'Seal'],
      ['Seal', 'Settle'],
    ]);
    interface State {
      readonly Type: string;
      readonly Retry?: unknown;
      readonly Catch?: readonly { readonly Next: string }[];
      readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
    }
    const called = new Set<string>();
    for (const [name, state] of Object.entries<State>(definition.States)) {
      if (state.Type !== 'Task' && state.Type !== 'Map') continue;
      const tasks = Object.values(state.ItemProcessor?.States ?? { [name]: state });
      for (const task of tasks) expect(task.Retry).toBeDefined();
      called.add(name.replace(/Inline$|Distributed$/, ''));
      if (name === 'Release') continue;
      expect(state.Catch?.map(({ Next }) => Next)).toEqual([passedOver.get(name) ?? 'Release']);
    }
    expect([...called].sort()).toEqual([...roundSteps].sort());
  });
});

test('every function has its handler file', () => {
  for (const name of functionNames) {
    expect(existsSync(join(root, 'functions', `${functionSpecs[name].entry}.lambda.ts`))).toBe(true);
  }
});
