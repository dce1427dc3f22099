import { z } from 'zod';
import { FlError } from '../core/errors.ts';
import { shown } from '../core/shown.ts';
import { taskIdSchema } from './names.ts';
import { parseAs } from './parse-as.ts';
import { parseStrictJson } from './strict-json.ts';

/** What the arrivals queue brings: S3's event of a finished upload, or a note that Tributary left for itself. */
export type ArrivalMessage =
  | { readonly kind: 'arrivals'; readonly arrivals: readonly { key: string; etag: string; bytes: number }[] }
  | { readonly kind: 'deadline'; readonly task: z.output<typeof taskIdSchema>; readonly atMs: number };

const deadlineSchema = z.strictObject({
  kind: z.literal('deadline'),
  task: taskIdSchema,
  atMs: z.number().int().min(0),
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
      key: keyOf(object.key),
      etag: `"${object.eTag}"`,
      bytes: object.size,
    })),
  }));

/** S3 sends this once when the notification is set up. */
const testEventSchema = z
  .object({ Event: z.literal('s3:TestEvent') })
  .transform(() => ({ kind: 'arrivals' as const, arrivals: [] }));

/** What `Records` says of S3's keys: form encoding. @throws {FlError} `arrival-malformed` */
function keyOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (cause) {
    throw new FlError('arrival-malformed', `a key ${shown(encoded)}`, { cause });
  }
}

const messageSchema = z.union([deadlineSchema, s3EventSchema, testEventSchema]);

/** @throws {FlError} `arrival-malformed` if the body is none of the three */
export function parseArrivalMessage(body: string): ArrivalMessage {
  let message: unknown;
  try {
    message = parseStrictJson(body);
  } catch (cause) {
    throw new FlError('arrival-malformed', `${shown(body)} is not JSON`, { cause });
  }
  return parseAs(messageSchema, message, 'arrival-malformed', 'message');
}
