import { localAccount } from '../service.ts';
import { escapeUri } from '../uri.ts';
import type { BucketSpec } from './bucket-spec.ts';
import type { QueueEvent } from './catalog.ts';
import type { StoredObject } from './stored.ts';

export type CreatedBy = 'Put' | 'CompleteMultipartUpload';

/** A created object, as its events tell it. */
export interface Creation {
  readonly bucket: BucketSpec;
  readonly key: string;
  readonly object: StoredObject;
  readonly by: CreatedBy;
  readonly accessKeyId: string;
  readonly requestId: string;
  /** Grows with every creation; S3 users compare it to order events of one key. */
  readonly sequence: bigint;
}

/** The messages for the queues that asked for them: S3 user guide, "Event message structure", version 2.1. */
export function eventsOf(creation: Creation): QueueEvent[] {
  const { bucket, key, by } = creation;
  const wanted = ['s3:ObjectCreated:*', `s3:ObjectCreated:${by}`];
  return (bucket.notifications ?? [])
    .filter(
      ({ events, prefix = '', suffix = '' }) =>
        events.some((event) => wanted.includes(event)) && key.startsWith(prefix) && key.endsWith(suffix),
    )
    .map(({ queueArn }) => ({ queueArn, message: JSON.stringify({ Records: [record(creation)] }) }));
}

function record({ bucket, key, object, by, accessKeyId, requestId, sequence }: Creation): unknown {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: localAccount.region,
    eventTime: new Date(object.modifiedMs).toISOString(),
    eventName: `ObjectCreated:${by}`,
    userIdentity: { principalId: `AWS:${accessKeyId}` },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': requestId, 'x-amz-id-2': requestId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'local',
      bucket: {
        name: bucket.name,
        ownerIdentity: { principalId: localAccount.accountId },
        arn: `arn:aws:s3:::${bucket.name}`,
      },
      object: {
        key: escapeUri(key).replaceAll('%2F', '/').replaceAll('%20', '+'),
        size: object.sizeBytes,
        eTag: object.etag,
        sequencer: sequence.toString(16).toUpperCase().padStart(18, '0'),
      },
    },
  };
}
