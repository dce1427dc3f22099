// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax of CloudFormation
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../local/cloud/template/assembly.ts';
import { planOf } from '../../../local/cloud/template/read-plan.ts';

type Resources = Record<string, { Type: string; Properties?: Record<string, Json>; [key: string]: unknown }>;

function plan(Resources: Resources, rest: Record<string, unknown> = {}) {
  const template = { Resources, ...rest };
  return planOf({
    stacks: [{ stackName: 'Demo', template: JSON.parse(JSON.stringify(template)) }],
    folderOf: (key) => `/assets/${key}`,
  });
}

const trust = (service: string): Json => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
});
const role = { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust('lambda.amazonaws.com') } };
const fn = {
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: { 'Fn::Sub': 'cdk-assets-${AWS::AccountId}' }, S3Key: 'abc.zip' },
    Handler: 'index.handler',
    Runtime: 'nodejs24.x',
    Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
  },
};

/** An API in front of the function `F`, without a route. */
const httpApi: Record<string, Json> = {
  Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'api', ProtocolType: 'HTTP' } },
  I: {
    Type: 'AWS::ApiGatewayV2::Integration',
    Properties: {
      ApiId: { Ref: 'Api' },
      IntegrationType: 'AWS_PROXY',
      IntegrationUri: { 'Fn::GetAtt': ['F', 'Arn'] },
      PayloadFormatVersion: '2.0',
    },
  },
};

describe('a plan', () => {
  test('names resources as the template does, or after stack and logical id', () => {
    const { buckets, queues } = plan({
      Named: {
        Type: 'AWS::S3::Bucket',
        Properties: { BucketName: { 'Fn::Join': ['-', ['my', { Ref: 'AWS::Region' }]] } },
      },
      Other: { Type: 'AWS::S3::Bucket' },
      Q: { Type: 'AWS::SQS::Queue' },
    });
    expect(buckets.map(({ name }) => name)).toEqual(['my-us-east-1', 'demo-other']);
    expect(queues[0].arn).toBe('arn:aws:sqs:us-east-1:000000000000:Demo-Q');
  });

  test('gives a function its role, folder, limits and environment, with defaults of Lambda', () => {
    const { functions } = plan({
      Role: role,
      Q: { Type: 'AWS::SQS::Queue' },
      F: {
        ...fn,
        Properties: {
          ...fn.Properties,
          Environment: { Variables: { QUEUE: { Ref: 'Q' }, COUNT: 3, ROLE: { 'Fn::Sub': '${Role.Arn}!' } } },
        },
      },
    });
    expect(functions).toEqual([
      {
        logicalId: 'F',
        name: 'Demo-F',
        arn: 'arn:aws:lambda:us-east-1:000000000000:function:Demo-F',
        roleArn: 'arn:aws:iam::000000000000:role/Demo-Role',
        folder: '/assets/abc.zip',
        handler: 'index.handler',
        environment: {
          QUEUE: 'https://sqs.us-east-1.amazonaws.com/000000000000/Demo-Q',
          COUNT: '3',
          ROLE: 'arn:aws:iam::000000000000:role/Demo-Role!',
        },
        timeoutSeconds: 3,
        memoryMb: 128,
        architecture: 'x86_64',
        reservedConcurrency: undefined,
      },
    ]);
  });

  test('joins an API with its routes, integrations and stages', () => {
    const { apis, outputs } = plan(
      {
        Role: role,
        F: fn,
        ...httpApi,
        R: {
          Type: 'AWS::ApiGatewayV2::Route',
          Properties: {
            ApiId: { Ref: 'Api' },
            RouteKey: 'POST /v1/{id}',
            Target: { 'Fn::Join': ['', ['integrations/', { Ref: 'I' }]] },
            AuthorizationType: 'AWS_IAM',
          },
        },
        S: {
          Type: 'AWS::ApiGatewayV2::Stage',
          Properties: {
            ApiId: { Ref: 'Api' },
            StageName: '$default',
            AutoDeploy: true,
            DefaultRouteSettings: { ThrottlingBurstLimit: 2, ThrottlingRateLimit: 5 },
          },
        },
      },
      { Outputs: { Url: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } } } },
    );
    expect(apis).toHaveLength(1);
    expect(apis[0].routes).toEqual([
      {
        routeKey: 'POST /v1/{id}',
        authorization: 'AWS_IAM',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Demo-F',
        timeoutMs: 30_000,
      },
    ]);
    expect(apis[0].stages).toEqual([{ name: '$default', throttle: { burst: 2, rate: 5 }, routeThrottles: {} }]);
    expect(outputs.Url).toBe(`https://${apis[0].id}.execute-api.us-east-1.amazonaws.com`);
  });

  describe('an authorizer', () => {
    const authorizerProperties: Record<string, Json> = {
      ApiId: { Ref: 'Api' },
      Name: 'Clients',
      AuthorizerType: 'REQUEST',
      AuthorizerUri: {
        'Fn::Sub': 'arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${F.Arn}/invocations',
      },
      AuthorizerPayloadFormatVersion: '2.0',
      EnableSimpleResponses: true,
      AuthorizerResultTtlInSeconds: 0,
      IdentitySource: ['$request.header.Authorization'],
    };
    const withAuthorizer = (
      changes: Record<string, Json>,
      route: Record<string, Json> = { AuthorizerId: { Ref: 'A' } },
    ) =>
      plan({
        Role: role,
        F: fn,
        A: { Type: 'AWS::ApiGatewayV2::Authorizer', Properties: { ...authorizerProperties, ...changes } },
        ...httpApi,
        R: {
          Type: 'AWS::ApiGatewayV2::Route',
          Properties: {
            ApiId: { Ref: 'Api' },
            RouteKey: 'GET /a',
            Target: { 'Fn::Join': ['', ['integrations/', { Ref: 'I' }]] },
            AuthorizationType: 'CUSTOM',
            ...route,
          },
        },
      });

    test('is joined with its route', () => {
      const [{ routes }] = withAuthorizer({}).apis;
      expect(routes[0].authorization).toEqual({
        id: expect.stringMatching(/^[a-z2-7]{10}$/),
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Demo-F',
        identityHeaders: ['authorization'],
      });
    });

    test.each<[string, Record<string, Json>]>([
      ['keeps answers', { AuthorizerResultTtlInSeconds: 300 }],
      ['answers with policies', { EnableSimpleResponses: false }],
      ['gets format 1.0', { AuthorizerPayloadFormatVersion: '1.0' }],
      ['looks at the query', { IdentitySource: ['$request.querystring.token'] }],
    ])('that %s is refused', (_, changes) => {
      expect(() => withAuthorizer(changes)).toThrow('template-unsupported');
    });

    test('that a route wants and the template does not make is an error', () => {
      expect(() => withAuthorizer({}, { AuthorizerId: 'nobody' })).toThrow('makes no authorizer nobody');
      expect(() => withAuthorizer({}, {})).toThrow('AuthorizationType CUSTOM');
    });
  });

  test('fills the substitutions of a state machine definition', () => {
    const { machines } = plan({
      Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust('states.amazonaws.com') } },
      M: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: {
          DefinitionString: '{"StartAt":"A","Comment":"${Who} {% $x %} ${Other}"}',
          DefinitionSubstitutions: { Who: { Ref: 'AWS::AccountId' } },
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        },
      },
    });
    expect(machines[0]).toMatchObject({
      arn: 'arn:aws:states:us-east-1:000000000000:stateMachine:Demo-M',
      type: 'STANDARD',
      definition: { StartAt: 'A', Comment: '000000000000 {% $x %} ${Other}' },
    });
  });

  test('gathers the policies of a role, AWS-managed logging among them', () => {
    const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
    const { roles } = plan({
      Role: {
        ...role,
        Properties: {
          ...role.Properties,
          ManagedPolicyArns: [
            { 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' },
          ],
        },
      },
      P: {
        Type: 'AWS::IAM::Policy',
        Properties: { PolicyName: 'p', Roles: [{ Ref: 'Role' }], PolicyDocument: { Statement: [statement] } },
      },
    });
    expect(roles[0].policies).toHaveLength(2);
    expect(roles[0].policies.flatMap((policy) => policy.Statement)).toContainEqual(statement);
  });

  test('leaves out what a condition rules out', () => {
    const conditions = {
      Parameters: { Stage: { Type: 'String', Default: 'test' } },
      Conditions: {
        Prod: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] },
        Test: {
          'Fn::And': [
            { 'Fn::Not': [{ Condition: 'Prod' }] },
            { 'Fn::Or': [{ Condition: 'Prod' }, { 'Fn::Equals': [1, 1] }] },
          ],
        },
      },
    };
    const { buckets, queues } = plan(
      {
        B: { Type: 'AWS::S3::Bucket', Condition: 'Prod' },
        Q: {
          Type: 'AWS::SQS::Queue',
          Condition: 'Test',
          Properties: {
            VisibilityTimeout: { 'Fn::If': ['Prod', 600, { 'Fn::Select': [1, { 'Fn::Split': [',', '10,20'] }] }] },
            DelaySeconds: { 'Fn::If': ['Prod', 5, { Ref: 'AWS::NoValue' }] },
          },
        },
      },
      conditions,
    );
    expect(buckets).toEqual([]);
    expect(queues[0].properties).toEqual({ VisibilityTimeout: '20' });
  });

  test('follows exports from one stack to the next', () => {
    const { queues } = planOf({
      stacks: [
        {
          stackName: 'One',
          template: {
            Resources: { B: { Type: 'AWS::S3::Bucket' } },
            Outputs: { Name: { Value: { Ref: 'B' }, Export: { Name: 'One:B' } } },
          },
        },
        {
          stackName: 'Two',
          template: {
            Resources: {
              Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::ImportValue': 'One:B' } } },
            },
          },
        },
      ],
      folderOf: () => '',
    });
    expect(queues[0].name).toBe('one-b');
  });
});

describe('what the local cloud does not know is refused by name:', () => {
  const bucket = (Properties: Record<string, Json>) => ({ B: { Type: 'AWS::S3::Bucket', Properties } });
  test.for<[string, Resources, RegExp]>([
    ['a resource type', { K: { Type: 'AWS::Kinesis::Stream' } }, /Demo\.K: .*AWS::Kinesis::Stream/],
    [
      'a custom resource',
      { C: { Type: 'Custom::S3BucketNotifications' } },
      /Demo\.C: .*Custom::S3BucketNotifications.*custom resource/,
    ],
    ['a property', bucket({ ReplicationConfiguration: {} }), /Demo\.B \(AWS::S3::Bucket\): .*ReplicationConfiguration/],
    [
      'a nested property',
      bucket({ NotificationConfiguration: { LambdaConfigurations: [] } }),
      /Demo\.B .*NotificationConfiguration.*LambdaConfigurations/,
    ],
    ['a function of the template', bucket({ BucketName: { 'Fn::GetAZs': '' } }), /Demo\.B.*Fn::GetAZs/],
    [
      'an attribute',
      {
        ...bucket({}),
        Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['B', 'WebsiteURL'] } } },
      },
      /Demo\.B .*WebsiteURL/,
    ],
    [
      'a managed policy',
      {
        Role: {
          ...role,
          Properties: { ...role.Properties, ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] },
        },
      },
      /Demo\.Role .*AdministratorAccess/,
    ],
    [
      'a runtime',
      { Role: role, F: { ...fn, Properties: { ...fn.Properties, Runtime: 'python3.13' } } },
      /Demo\.F .*Runtime/,
    ],
    ['a layer', { Role: role, F: { ...fn, Properties: { ...fn.Properties, Layers: [] } } }, /Demo\.F .*Layers/],
  ])('%s', ([, resources, expected]) => {
    expect(() => plan(resources)).toThrow(expected);
    expect(() => plan(resources)).toThrow(expect.objectContaining({ code: 'template-unsupported' }));
  });

  test('a stream of a queue is no event source', () => {
    const resources = {
      Map: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1', FunctionName: 'F' },
      },
    };
    expect(() => plan(resources)).toThrow(/only queues are event sources/);
  });
});

describe('what would not deploy is refused:', () => {
  const mapping = {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { EventSourceArn: { 'Fn::GetAtt': ['Q', 'Arn'] }, FunctionName: { Ref: 'F' } },
  };
  test.for<[string, Resources, RegExp]>([
    [
      'a reference to nothing',
      { B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'Gone' } } } },
      /Ref to "Gone"/,
    ],
    [
      'a circle',
      {
        A: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'B' } } },
        B: { Type: 'AWS::S3::Bucket', DependsOn: 'A' },
      },
      /circle: A -> B -> A/,
    ],
    [
      'a function whose role another service assumes',
      {
        F: fn,
        Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust('states.amazonaws.com') } },
      },
      /does not let lambda\.amazonaws\.com assume it/,
    ],
    [
      'a function without its role',
      { F: { ...fn, Properties: { ...fn.Properties, Role: 'arn:aws:iam::1:role/x' } } },
      /makes no role/,
    ],
    [
      'an event source whose queue shows messages again before the function is done',
      {
        Role: role,
        F: { ...fn, Properties: { ...fn.Properties, Timeout: 60 } },
        Q: { Type: 'AWS::SQS::Queue' },
        Map: mapping,
      },
      /visibility timeout of 30 s.*timeout of 60 s/,
    ],
    [
      'a large batch without a window to gather it',
      {
        Role: role,
        F: fn,
        Q: { Type: 'AWS::SQS::Queue' },
        Map: { ...mapping, Properties: { ...mapping.Properties, BatchSize: 100 } },
      },
      /MaximumBatchingWindowInSeconds/,
    ],
    [
      'a bucket that tells a queue that is not there',
      {
        B: {
          Type: 'AWS::S3::Bucket',
          Properties: {
            NotificationConfiguration: {
              QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: 'arn:aws:sqs:us-east-1:0:x' }],
            },
          },
        },
      },
      /makes no queue/,
    ],
  ])('%s', ([, resources, expected]) => {
    expect(() => plan(resources)).toThrow(expected);
    expect(() => plan(resources)).toThrow(expect.objectContaining({ code: 'template-invalid' }));
  });
});
