import { z } from 'zod';
import { localAccount } from '../../service.ts';
import { arn, generatedName, ignored, type Kind, kind, policyDocument, stableId, tags } from './kind.ts';

const bucketArn = (name: string) => `arn:${localAccount.partition}:s3:::${name}`;

const corsRule = z.strictObject({
  Id: ignored,
  AllowedMethods: z.array(z.string()),
  AllowedOrigins: z.array(z.string()),
  AllowedHeaders: z.array(z.string()).optional(),
  ExposedHeaders: z.array(z.string()).optional(),
  MaxAge: z.number().optional(),
});

const filterRule = z.strictObject({
  Name: z.string().transform((name) => name.toLowerCase()),
  Value: z.string(),
});

const queueConfiguration = z.strictObject({
  Id: ignored,
  Event: z.string(),
  Queue: z.string(),
  Filter: z.strictObject({ S3Key: z.strictObject({ Rules: z.array(filterRule) }) }).optional(),
});

const bucket = kind({
  nameProperty: 'BucketName',
  nameOf: (stackName, logicalId) => generatedName(stackName, logicalId, 63).toLowerCase(),
  attributes: {
    Arn: ({ name }) => bucketArn(name),
    DomainName: ({ name }) => `${name}.s3.amazonaws.com`,
    RegionalDomainName: ({ name }) => `${name}.s3.${localAccount.region}.amazonaws.com`,
  },
  properties: z.strictObject({
    BucketName: z.string().optional(),
    CorsConfiguration: z.strictObject({ CorsRules: z.array(corsRule) }).optional(),
    NotificationConfiguration: z
      .strictObject({ QueueConfigurations: z.array(queueConfiguration).optional() })
      .optional(),
    // Encryption at rest, public access (nobody anonymous reaches this machine) and ownership of ACLs have no local counterpart.
    BucketEncryption: ignored,
    PublicAccessBlockConfiguration: ignored,
    OwnershipControls: ignored,
    // Lifecycle rules act after days; a local run does not last that long.
    LifecycleConfiguration: ignored,
    Tags: tags,
  }),
  add({ name }, properties, draft) {
    draft.buckets.push({
      name,
      arn: bucketArn(name),
      corsRules: properties.CorsConfiguration?.CorsRules ?? [],
      notifications: (properties.NotificationConfiguration?.QueueConfigurations ?? []).map((configuration) => {
        const rules = configuration.Filter?.S3Key.Rules ?? [];
        return {
          queueArn: configuration.Queue,
          events: [configuration.Event],
          prefix: rules.find((rule) => rule.Name === 'prefix')?.Value,
          suffix: rules.find((rule) => rule.Name === 'suffix')?.Value,
        };
      }),
    });
  },
});

const bucketPolicy = kind({
  properties: z.strictObject({ Bucket: z.string(), PolicyDocument: policyDocument }),
  add(_self, { Bucket, PolicyDocument }, draft) {
    draft.resourcePolicy(bucketArn(Bucket), PolicyDocument);
  },
});

const table = kind({
  nameProperty: 'TableName',
  attributes: { Arn: ({ name }) => arn('dynamodb', `table/${name}`) },
  properties: z.strictObject({
    TableName: z.string().optional(),
    AttributeDefinitions: z.json(),
    KeySchema: z.json(),
    BillingMode: z.string().optional(),
    ProvisionedThroughput: z.json().optional(),
    GlobalSecondaryIndexes: z.json().optional(),
    LocalSecondaryIndexes: z.json().optional(),
    TimeToLiveSpecification: z.json().optional(),
    // Backups, encryption at rest and protection from deletion have no local counterpart.
    PointInTimeRecoverySpecification: ignored,
    SSESpecification: ignored,
    DeletionProtectionEnabled: ignored,
    TableClass: ignored,
    ContributorInsightsSpecification: ignored,
    Tags: tags,
  }),
  add({ name }, properties, draft) {
    const { ContributorInsightsSpecification: _insights, TableClass: _class, ...acting } = properties;
    draft.tables.push({ name, arn: arn('dynamodb', `table/${name}`), properties: dropUndefined(acting) });
  },
});

const queueArnOf = (name: string) => arn('sqs', name);
export const queueUrlOf = (name: string) =>
  `https://sqs.${localAccount.region}.amazonaws.com/${localAccount.accountId}/${name}`;

const queue = kind({
  nameProperty: 'QueueName',
  nameOf: (stackName, logicalId) => generatedName(stackName, logicalId, 75),
  ref: ({ name }) => queueUrlOf(name),
  attributes: {
    Arn: ({ name }) => queueArnOf(name),
    QueueName: ({ name }) => name,
    QueueUrl: ({ name }) => queueUrlOf(name),
  },
  properties: z.strictObject({
    QueueName: z.string().optional(),
    DelaySeconds: z.json().optional(),
    FifoQueue: z.json().optional(),
    ContentBasedDeduplication: z.json().optional(),
    DeduplicationScope: z.json().optional(),
    FifoThroughputLimit: z.json().optional(),
    MaximumMessageSize: z.json().optional(),
    MessageRetentionPeriod: z.json().optional(),
    ReceiveMessageWaitTimeSeconds: z.json().optional(),
    RedrivePolicy: z.json().optional(),
    RedriveAllowPolicy: z.json().optional(),
    VisibilityTimeout: z.json().optional(),
    // Encryption at rest has no local counterpart.
    SqsManagedSseEnabled: ignored,
    KmsMasterKeyId: ignored,
    KmsDataKeyReusePeriodSeconds: ignored,
    Tags: tags,
  }),
  add({ name }, properties, draft) {
    draft.queues.push({ name, arn: queueArnOf(name), properties: dropUndefined(properties) });
  },
});

const queuePolicy = kind({
  properties: z.strictObject({ Queues: z.array(z.string()), PolicyDocument: policyDocument }),
  add(_self, { Queues, PolicyDocument }, draft) {
    for (const url of Queues) draft.resourcePolicy(queueArnOf(url.slice(url.lastIndexOf('/') + 1)), PolicyDocument);
  },
});

const keyIdOf = ({ stackName, logicalId }: { stackName: string; logicalId: string }) =>
  stableId(`${stackName}/${logicalId}`, 32);
const keyArnOf = (self: Parameters<typeof keyIdOf>[0]) => arn('kms', `key/${keyIdOf(self)}`);

/** Only keys that sign: nothing is encrypted at rest here. */
const signingKey = kind({
  ref: keyIdOf,
  attributes: { Arn: keyArnOf, KeyId: keyIdOf },
  properties: z.strictObject({
    Description: ignored,
    KeySpec: z.literal('ECC_NIST_P256'),
    KeyUsage: z.literal('SIGN_VERIFY'),
    // CDK's default gives the account's IAM the say, which is what the guard reads.
    KeyPolicy: ignored,
    PendingWindowInDays: ignored,
    Tags: tags,
  }),
  add(self, _properties, draft) {
    draft.signingKeys.push({ id: keyIdOf(self), arn: keyArnOf(self) });
  },
});

/** Buckets, tables, queues and keys. */
export const storageKinds: Readonly<Record<string, Kind>> = {
  'AWS::S3::Bucket': bucket,
  'AWS::S3::BucketPolicy': bucketPolicy,
  'AWS::DynamoDB::Table': table,
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': queuePolicy,
  'AWS::KMS::Key': signingKey,
};

function dropUndefined<T>(record: Readonly<Record<string, T | undefined>>): Record<string, T> {
  const kept: Record<string, T> = {};
  for (const [key, value] of Object.entries(record)) if (value !== undefined) kept[key] = value;
  return kept;
}
