import {
  appendFileSync,
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { messageAttributesSchema } from './message-attributes.ts';

const sentSchema = z.strictObject({
  event: z.literal('sent'),
  queue: z.string(),
  id: z.string(),
  body: z.string(),
  attributes: messageAttributesSchema.optional(),
  senderId: z.string(),
  sentAtMs: z.number(),
  dueAtMs: z.number(),
  receiveCount: z.number().int().optional(),
});

const recordSchema = z.discriminatedUnion('event', [
  sentSchema,
  z.strictObject({ event: z.literal('received'), id: z.string(), count: z.number().int() }),
  z.strictObject({ event: z.literal('moved'), id: z.string(), queue: z.string() }),
  z.strictObject({ event: z.literal('gone'), id: z.string() }),
]);

export type SentRecord = z.output<typeof sentSchema>;
export type JournalRecord = z.output<typeof recordSchema>;

/**
 * The log from which the queues come back: one JSON line for each change, handed to the operating system before the
 * caller gets an answer. So a killed process loses nothing; a machine that loses power may lose the last seconds.
 */
export class Journal {
  readonly #path: string;
  #file: number;
  #bytes: number;

  private constructor(path: string, file: number, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * Opens the journal of a directory and gives what still lies in the queues, in order of arrival.
   * A last line without its end is what a kill left of a change that nobody was told of: it is cut off.
   * @throws {Error} naming file and line of a record that is broken in the middle
   */
  static open(dir: string): { journal: Journal; live: SentRecord[] } {
    mkdirSync(dir, { recursive: true });
    const path = join(dir, 'journal.ndjson');
    const file = openSync(path, 'a+');
    const content = readFileSync(path);
    const bytes = content.lastIndexOf(0x0a) + 1;
    const journal = new Journal(path, file, bytes);
    if (bytes < content.length) ftruncateSync(file, bytes);
    try {
      return { journal, live: replay(path, content.subarray(0, bytes)) };
    } catch (error) {
      journal.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Appends records as one write. @throws the system's error, the journal unchanged, if the disk refuses */
  append(records: readonly JournalRecord[]): void {
    if (records.length === 0) return;
    const text = linesOf(records);
    try {
      appendFileSync(this.#file, text);
      this.#bytes += Buffer.byteLength(text);
    } catch (error) {
      // Half a line would swallow the next record.
      ftruncateSync(this.#file, this.#bytes);
      throw error;
    }
  }

  /** Replaces the history by what is live. The old file stays until the new one is complete. */
  compact(live: readonly SentRecord[]): void {
    const next = `${this.#path}.next`;
    const text = linesOf(live);
    const file = openSync(next, 'w');
    writeFileSync(file, text);
    fsyncSync(file);
    closeSync(file);
    renameSync(next, this.#path);
    closeSync(this.#file);
    this.#file = openSync(this.#path, 'a');
    this.#bytes = Buffer.byteLength(text);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function linesOf(records: readonly JournalRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

function replay(path: string, content: Buffer): SentRecord[] {
  const live = new Map<string, SentRecord>();
  let start = 0;
  for (let line = 1; start < content.length; line++) {
    const end = content.indexOf(0x0a, start);
    apply(live, parseRecord(content.toString('utf8', start, end), `${path} line ${line}`));
    start = end + 1;
  }
  return [...live.values()];
}

function apply(live: Map<string, SentRecord>, record: JournalRecord): void {
  if (record.event === 'sent') {
    live.set(record.id, record);
    return;
  }
  const message = live.get(record.id);
  if (!message) return;
  if (record.event === 'gone') live.delete(record.id);
  else if (record.event === 'received') live.set(record.id, { ...message, receiveCount: record.count });
  else live.set(record.id, { ...message, queue: record.queue, receiveCount: 0 });
}

function parseRecord(text: string, where: string): JournalRecord {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${where} is not a journal record`, { cause });
  }
}
