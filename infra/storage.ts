import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, HttpMethods } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Names, Settings } from './settings.ts';

/** Longer than six times the admission function's timeout, as SQS event sources want. */
const arrivalsVisibility = Duration.minutes(7);
/** After this many tries an arrival goes to the dead-letter queue. */
const mostReceives = 5;

/** Buckets, table, queues and the key that seals versions. */
export class Storage extends Construct {
  readonly models: Bucket;
  readonly updates: Bucket;
  readonly table: Table;
  readonly arrivals: Queue;
  readonly deadLetters: Queue;
  /** Signs the records of versions. */
  readonly sealKey: Key;

  constructor(scope: Construct, id: string, settings: Settings, names: Names) {
    super(scope, id);
    const removalPolicy = settings.keepData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
    const bucket = (bucketId: string, bucketName: string, methods: HttpMethods[], expiration?: Duration) =>
      new Bucket(this, bucketId, {
        bucketName,
        removalPolicy,
        blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
        encryption: BucketEncryption.S3_MANAGED,
        enforceSSL: true,
        lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1), expiration }],
        cors: [
          {
            allowedMethods: methods,
            allowedOrigins: settings.corsOrigins,
            allowedHeaders: ['*'],
            exposedHeaders: ['etag'],
            maxAge: 3600,
          },
        ],
      });
    this.models = bucket('Models', names.modelsBucket, [HttpMethods.GET, HttpMethods.HEAD]);
    const retention = Duration.days(settings.updateRetentionDays);
    this.updates = bucket('Updates', names.updatesBucket, [HttpMethods.PUT], retention);
    this.table = new Table(this, 'Table', {
      tableName: names.table,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'ttl',
      removalPolicy,
    });
    this.deadLetters = new Queue(this, 'DeadLetters', {
      queueName: names.deadLetterQueue,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.arrivals = new Queue(this, 'Arrivals', {
      queueName: names.arrivalsQueue,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      visibilityTimeout: arrivalsVisibility,
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: mostReceives },
    });
    this.sealKey = new Key(this, 'SealKey', {
      description: `${names.prefix}: signs the records of versions`,
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy,
    });
    this.#announceUploads(names);
    for (const each of [this.models, this.updates]) {
      acknowledge(
        each,
        'AwsSolutions-S1',
        'Access logs would hold presigned URLs; CloudTrail data events can be turned on.',
      );
    }
  }

  /**
   * S3 tells the queue of every upload. On the bucket itself: CDK's own way is a custom resource with a function of its
   * own. The queue's policy names the bucket by its name, or queue policy and bucket would wait for each other.
   */
  #announceUploads(names: Names): void {
    const { account, partition } = Stack.of(this);
    this.arrivals.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AnnounceUploads',
        principals: [new ServicePrincipal('s3.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.arrivals.queueArn],
        conditions: {
          ArnEquals: { 'aws:SourceArn': `arn:${partition}:s3:::${names.updatesBucket}` },
          StringEquals: { 'aws:SourceAccount': account },
        },
      }),
    );
    const resource = this.updates.node.defaultChild as CfnBucket;
    resource.notificationConfiguration = {
      queueConfigurations: [
        {
          event: 's3:ObjectCreated:*',
          queue: this.arrivals.queueArn,
          filter: { s3Key: { rules: [{ name: 'prefix', value: 'updates/' }] } },
        },
      ],
    };
    const policy = this.arrivals.node.findChild('Policy');
    this.updates.node.addDependency(policy);
  }
}
