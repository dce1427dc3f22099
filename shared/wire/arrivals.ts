import { z } from 'zod';
import { FlError } from '../core/errors.ts';
import { taskIdSchema } from './names.ts';

/** What the arrivals queue brings: S3's event of a finished upload, or a note that Tributary left for itself. */
export type ArrivalMessage =
  | { readonly kind: 'arrivals'; readonly arrivals: readonly { key: string; etag: string; bytes: number }[] }
  | { readonly kind: 'deadline'; readonly task: z.output<typeof taskIdSchema>; readonly version: number };

const deadlineSchema = z.strictObject({
  kind: z.literal('deadline'),
  task: taskIdSchema,
  version: z.number().int().min(0),
});

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const s3EventSchema = z
  .object({
    Records: z.array(
      z.object({
        eventName: z.string(),
        s3: z.object({ object: z.object({ key: z.string(), size: z.number().int().min(0), eTag: z.string() }) }),
      }),
    ),
  })
  .transform(({ Records }) => ({
    kind: 'arrivals' as const,
    arrivals: Records.filter(({ eventName }) => eventName.startsWith('ObjectCreated:')).map(({ s3: { object } }) => ({
      key: decodeURIComponent(object.key.replaceAll('+', ' ')),
      etag: `"${object.eTag}"`,
      bytes: object.size,
    })),
  }));

/** S3 sends this once when the notification is set up. */
const testEventSchema = z
  .object({ Event: z.literal('s3:TestEvent') })
  .transform(() => ({ kind: 'arrivals' as const, arrivals: [] }));

const messageSchema = z.union([deadlineSchema, s3EventSchema, testEventSchema]);

/** @throws {FlError} `arrival-malformed` if the body is none of the three */
export function parseArrivalMessage(body: string): ArrivalMessage {
  try {
    return messageSchema.parse(JSON.parse(body));
  } catch (cause) {
    throw new FlError('arrival-malformed', "neither S3's event of an upload nor the note of a deadline", { cause });
  }
}
