/** A bucket of the template, as far as this gateway acts on it. */
export interface BucketSpec {
  readonly name: string;
  readonly corsRules?: readonly CorsRule[];
  readonly notifications?: readonly BucketNotification[];
}

/** CloudFormation's `AWS::S3::Bucket CorsRule`. */
export interface CorsRule {
  readonly AllowedMethods: readonly string[];
  readonly AllowedOrigins: readonly string[];
  readonly AllowedHeaders?: readonly string[];
  readonly ExposedHeaders?: readonly string[];
  /** Seconds. */
  readonly MaxAge?: number;
}

/** Which created objects are told to which queue. Only `s3:ObjectCreated:*` events exist here. */
export interface BucketNotification {
  readonly queueArn: string;
  readonly events: readonly string[];
  readonly prefix?: string;
  readonly suffix?: string;
}

const knownEvents = new Set(['s3:ObjectCreated:*', 's3:ObjectCreated:Put', 's3:ObjectCreated:CompleteMultipartUpload']);

/** @throws {RangeError} on an illegal or doubled name, or an event that would never be sent */
export function checkBuckets(buckets: readonly BucketSpec[]): ReadonlyMap<string, BucketSpec> {
  const byName = new Map<string, BucketSpec>();
  for (const bucket of buckets) {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket.name)) {
      throw new RangeError(`buckets: "${bucket.name}" is not a bucket name`);
    }
    if (byName.has(bucket.name)) throw new RangeError(`buckets: "${bucket.name}" appears twice`);
    for (const event of bucket.notifications?.flatMap(({ events }) => events) ?? []) {
      if (!knownEvents.has(event)) {
        throw new RangeError(
          `buckets: "${bucket.name}" asks for ${event}; the local S3 only sends ${[...knownEvents]}`,
        );
      }
    }
    byName.set(bucket.name, bucket);
  }
  return byName;
}
