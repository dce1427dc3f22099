import type { Call, Deps } from './call.ts';
import type { PendingWrite } from './catalog.ts';
import type { WriteCondition } from './conditions.ts';
import { type CreatedBy, eventsOf } from './event.ts';
import type { StoredObject } from './stored.ts';

interface Publication {
  readonly object: StoredObject;
  readonly condition: WriteCondition;
  readonly pending: PendingWrite;
  readonly by: CreatedBy;
  readonly uploadId?: string;
}

/** Makes an object visible together with its events, then frees what it replaced. @throws {S3Error} as `Catalog.commit` */
export function publish(deps: Deps, call: Call, { object, condition, pending, by, uploadId }: Publication): void {
  const { bucket, key, accessKeyId, requestId } = call;
  const sequence = deps.outbox.nextSequence(object.modifiedMs);
  const events = eventsOf({ bucket, key, object, by, accessKeyId, requestId, sequence });
  const replaced = deps.catalog.commit({ bucket: bucket.name, key, object, condition, events, pending, uploadId });
  if (replaced) deps.bodies.discard(replaced.segments);
  deps.outbox.pump();
}
