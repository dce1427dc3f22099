import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  S3Client,
} from '@aws-sdk/client-s3';
import { ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { VersionItem } from '../simulation/checker/evidence.ts';
import type { CloudAddress } from './cloud-messages.ts';

export type Item = Record<string, unknown> & { readonly pk: string; readonly sk: string };

/** Tables, buckets, queues and executions as they are, through the AWS SDK: nothing of the product is in between. */
export class RawCloud {
  readonly modelsBucket: string;
  readonly updatesBucket: string;
  readonly #address: CloudAddress;
  readonly #dynamodb: DynamoDBDocumentClient;
  readonly #s3: S3Client;
  readonly #sqs: SQSClient;
  readonly #states: SFNClient;

  constructor(address: CloudAddress) {
    const { endpoints, region, credentials, outputs } = address;
    const at = (endpoint: string) => ({ endpoint, region, credentials: { ...credentials }, maxAttempts: 1 });
    this.#address = address;
    this.#dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient(at(endpoints.dynamodb)));
    this.#s3 = new S3Client({ ...at(endpoints.s3), forcePathStyle: true });
    this.#sqs = new SQSClient({ ...at(endpoints.sqs), useQueueUrlAsEndpoint: false });
    this.#states = new SFNClient({ ...at(endpoints.states), disableHostPrefix: true });
    this.modelsBucket = outputs.ModelsBucket;
    this.updatesBucket = outputs.UpdatesBucket;
  }

  /** Every item of the table, a page at a time. */
  async *scan(): AsyncGenerator<Item> {
    let start: Record<string, unknown> | undefined;
    do {
      const page = await this.#dynamodb.send(
        new ScanCommand({ TableName: this.#address.outputs.TableName, ExclusiveStartKey: start }),
      );
      for (const item of page.Items ?? []) yield sorted(item) as Item;
      start = page.LastEvaluatedKey;
    } while (start);
  }

  async taskState(task: string): Promise<string> {
    const TableName = this.#address.outputs.TableName;
    const Key = { pk: `TASK#${task}`, sk: 'TASK' };
    const { Item } = await this.#dynamodb.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    return String(Item?.state);
  }

  /** Version records from `first` on. */
  async items(pk: string, first: number): Promise<readonly VersionItem[]> {
    const page = await this.#dynamodb.send(
      new QueryCommand({
        TableName: this.#address.outputs.TableName,
        KeyConditionExpression: 'pk = :pk AND sk >= :first',
        ExpressionAttributeValues: { ':pk': pk, ':first': String(first).padStart(10, '0') },
        ConsistentRead: true,
      }),
    );
    return (page.Items ?? []).map((item) => withoutKeys(sorted(item) as Item) as unknown as VersionItem);
  }

  /** @returns undefined if there is none */
  async object(bucket: string, key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.#s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return await Body?.transformToByteArray();
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async *keys(bucket: string): AsyncGenerator<string> {
    let token: string | undefined;
    do {
      const page = await this.#s3.send(new ListObjectsV2Command({ Bucket: bucket, ContinuationToken: token }));
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async uploadIds(bucket: string): Promise<readonly string[]> {
    const { Uploads = [], IsTruncated } = await this.#s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    if (IsTruncated) throw new Error(`${bucket}: more than a thousand uploads are unfinished`);
    return Uploads.flatMap(({ UploadId }) => UploadId ?? []);
  }

  async executions(): Promise<readonly { readonly name: string; readonly status: string }[]> {
    const found: { name: string; status: string }[] = [];
    let nextToken: string | undefined;
    do {
      const command = new ListExecutionsCommand({ stateMachineArn: this.#address.outputs.RoundMachineArn, nextToken });
      const page = await this.#states.send(command);
      for (const { name = '', status = '' } of page.executions ?? []) found.push({ name, status });
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return found;
  }

  /** Messages in a queue, by what holds them. @param name such as `tributary-dev-arrivals` */
  async depth(
    name: string,
  ): Promise<{ readonly visible: number; readonly inFlight: number; readonly delayed: number }> {
    const account = /:(\d{12}):/.exec(this.#address.outputs.RoundMachineArn)?.[1];
    const { Attributes = {} } = await this.#sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: `${this.#address.endpoints.sqs}/${account}/${name}`,
        AttributeNames: ['All'],
      }),
    );
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages),
      inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed),
    };
  }

  close(): void {
    for (const client of [this.#dynamodb, this.#s3, this.#sqs, this.#states]) client.destroy();
  }
}

export function withoutKeys({ pk: _, sk: __, ttl: ___, ...record }: Item): Record<string, unknown> {
  return record;
}

/** DynamoDB keeps no order of keys; two readings are compared as text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}
