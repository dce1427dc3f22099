import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { Json } from '../../../local/cloud/template/assembly.ts';

type Resources = Record<string, { readonly Type: string; readonly Properties?: Record<string, Json> }>;

/**
 * `Arrive` is fed from the queue: S3 events put an item into the table and start the machine, whose only task is `Step`.
 * `Front` stands behind the API. A plain template, so that the local cloud is tested without the CDK and without Tributary.
 */
const sources = {
  Arrive: `
    import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
    import { StartExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
    const dynamodb = new DynamoDBClient({});
    const states = new SFNClient({});
    export const handler = async ({ Records }) => {
      const failures = [];
      for (const { body, messageId } of Records) {
        if (body === 'poison') { failures.push({ itemIdentifier: messageId }); continue; }
        const { Records: [{ s3 }] } = JSON.parse(body);
        const key = s3.object.key;
        await dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { pk: { S: key } } }));
        await states.send(new StartExecutionCommand({
          stateMachineArn: process.env.MACHINE, name: key.replace(/\\W/g, '-'), input: JSON.stringify({ key }),
        }));
        console.log(JSON.stringify({
          _aws: { Timestamp: Date.now(), CloudWatchMetrics: [
            { Namespace: 'Demo', Dimensions: [['stage']], Metrics: [{ Name: 'arrivals', Unit: 'Count' }] }] },
          stage: 'test', arrivals: 1, key,
        }));
      }
      return { batchItemFailures: failures };
    };`,
  Step: `
    import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
    import { existsSync, writeFileSync } from 'node:fs';
    const s3 = new S3Client({});
    const Bucket = process.env.BUCKET;
    export const handler = async ({ key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
      const text = await Body.transformToString();
      if (text.startsWith('block ')) {
        // Waits to be killed the first time, runs through the second.
        const flag = text.slice(6);
        if (!existsSync(flag)) {
          writeFileSync(flag, String(process.pid));
          await new Promise((done) => setTimeout(done, 25_000));
        }
      }
      if (text === 'delete') await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
      await s3.send(new PutObjectCommand({ Bucket, Key: key.replace('in/', 'out/'), Body: text.toUpperCase() }));
      return { length: text.length };
    };`,
  Front: `
    import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
    import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
    import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
    const s3 = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    const sqs = new SQSClient({});
    export const handler = async (event) => {
      const { id } = event.pathParameters;
      if (event.routeKey.startsWith('PUT ')) {
        await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody: id }));
        return { statusCode: 202 };
      }
      const command = new PutObjectCommand({ Bucket: process.env.BUCKET, Key: 'in/' + id });
      return { statusCode: 200, body: JSON.stringify({ url: await getSignedUrl(s3, command), api: process.env.API }) };
    };`,
} as const;

type Name = keyof typeof sources;

const arnOf = (id: string): Json => ({ 'Fn::GetAtt': [id, 'Arn'] });
const allow = (Action: string[], Resource: Json): Json => ({ Effect: 'Allow', Action, Resource });
const objects = (prefix: string): Json => ({ 'Fn::Join': ['', [arnOf('Bucket'), `/${prefix}`]] });

const grants: Record<Name, Json[]> = {
  Arrive: [
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], arnOf('Queue')),
    allow(['dynamodb:PutItem'], arnOf('Table')),
    allow(['states:StartExecution'], { Ref: 'Machine' }),
  ],
  Step: [allow(['s3:GetObject'], objects('in/*')), allow(['s3:PutObject'], objects('out/*'))],
  Front: [allow(['s3:PutObject'], objects('in/*')), allow(['sqs:SendMessage'], arnOf('Queue'))],
};

const variables: Record<Name, Record<string, Json>> = {
  Arrive: { TABLE: { Ref: 'Table' }, MACHINE: { Ref: 'Machine' } },
  Step: { BUCKET: { Ref: 'Bucket' } },
  Front: { BUCKET: { Ref: 'Bucket' }, QUEUE: { Ref: 'Queue' }, API: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } },
};

const document = (Statement: Json[]): Json => ({ Version: '2012-10-17', Statement });
const trust = (service: string): Json =>
  document([{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }]);

const role = (service: string, statements: Json[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: trust(service),
    Policies: [{ PolicyName: 'own', PolicyDocument: document(statements) }],
  },
});

const route = (id: string, RouteKey: string): Resources => ({
  [`${id}Route`]: {
    Type: 'AWS::ApiGatewayV2::Route',
    Properties: {
      ApiId: { Ref: 'Api' },
      RouteKey,
      Target: { 'Fn::Join': ['', ['integrations/', { Ref: 'FrontIntegration' }]] },
    },
  },
});

function resources(): Resources {
  const made: Resources = {
    Bucket: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        NotificationConfiguration: {
          QueueConfigurations: [
            {
              Event: 's3:ObjectCreated:*',
              Queue: arnOf('Queue'),
              Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'in/' }] } },
            },
          ],
        },
      },
    },
    QueuePolicy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'Queue' }],
        PolicyDocument: document([
          {
            Effect: 'Allow',
            Action: 'sqs:SendMessage',
            Principal: { Service: 's3.amazonaws.com' },
            Resource: arnOf('Queue'),
          },
        ]),
      },
    },
    DeadLetters: { Type: 'AWS::SQS::Queue' },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        VisibilityTimeout: 30,
        RedrivePolicy: { deadLetterTargetArn: arnOf('DeadLetters'), maxReceiveCount: 1 },
      },
    },
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      },
    },
    MachineRole: role('states.amazonaws.com', [allow(['lambda:InvokeFunction'], arnOf('Step'))]),
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        RoleArn: arnOf('MachineRole'),
        DefinitionString: {
          'Fn::Join': [
            '',
            [
              '{"QueryLanguage":"JSONata","StartAt":"Step","States":{"Step":{"Type":"Task","End":true,"Resource":"arn:aws:states:::lambda:invoke","Arguments":{"FunctionName":"',
              arnOf('Step'),
              '","Payload":"{% $states.input %}"},"Output":"{% $states.result.Payload %}","Retry":[{"ErrorEquals":["Runtime.ExitError"],"IntervalSeconds":1,"MaxAttempts":2}]}}}',
            ],
          ],
        },
      },
    },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: arnOf('Queue'),
        FunctionName: { Ref: 'Arrive' },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: 'demo', ProtocolType: 'HTTP' } },
    Stage: {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true },
    },
    FrontIntegration: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: { Ref: 'Api' },
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: arnOf('Front'),
        PayloadFormatVersion: '2.0',
      },
    },
    FrontPermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: arnOf('Front'),
        Principal: 'apigateway.amazonaws.com',
        SourceArn: {
          'Fn::Sub': 'arn:aws:execute-api:$' + '{AWS::Region}:$' + '{AWS::AccountId}:$' + '{Api}/*/*/uploads/{id}',
        },
      },
    },
    ...route('Post', 'POST /uploads/{id}'),
    ...route('Put', 'PUT /uploads/{id}'),
    ...route('Other', 'GET /elsewhere/{id}'),
  };
  for (const name of ['Arrive', 'Step', 'Front'] as const) {
    made[`${name}Role`] = role('lambda.amazonaws.com', grants[name]);
    made[name] = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: `demo-${name.toLowerCase()}`,
        Code: { S3Bucket: 'assets', S3Key: `${name}.zip` },
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        MemorySize: 256,
        Timeout: 29,
        Role: arnOf(`${name}Role`),
        Environment: { Variables: variables[name] },
      },
    };
  }
  return made;
}

const bundles = new Map<string, Uint8Array>();

/** Each source is bundled once in a run of the tests. */
function bundleOf(contents: string): Uint8Array {
  const known = bundles.get(contents);
  if (known) return known;
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: import.meta.dirname },
    write: false,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  bundles.set(contents, outputFiles[0].contents);
  return outputFiles[0].contents;
}

/** Writes the demo as an assembly. @param change edits the resources before they are written */
export function writeDemo(folder: string, change: (resources: Resources) => void = () => {}): void {
  mkdirSync(folder, { recursive: true });
  const Resources = resources();
  change(Resources);
  const files: Record<string, Json> = {};
  for (const [name, contents] of Object.entries(sources)) {
    mkdirSync(join(folder, `asset.${name}`));
    writeFileSync(join(folder, `asset.${name}`, 'index.js'), bundleOf(contents));
    files[name] = {
      source: { path: `asset.${name}`, packaging: 'zip' },
      destinations: { here: { bucketName: 'assets', objectKey: `${name}.zip` } },
    };
  }
  const write = (file: string, value: unknown) => writeFileSync(join(folder, file), JSON.stringify(value));
  write('Demo.template.json', {
    Resources,
    Outputs: {
      ApiUrl: { Value: { 'Fn::GetAtt': ['Api', 'ApiEndpoint'] } },
      Bucket: { Value: { Ref: 'Bucket' } },
      Table: { Value: { Ref: 'Table' } },
      DeadLetters: { Value: { Ref: 'DeadLetters' } },
    },
  });
  write('Demo.assets.json', { version: '1', files });
  write('manifest.json', {
    version: '1',
    artifacts: {
      'Demo.assets': { type: 'cdk:asset-manifest', properties: { file: 'Demo.assets.json' } },
      Demo: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Demo.template.json' } },
    },
  });
}
