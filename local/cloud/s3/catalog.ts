import { checkWriteCondition, type WriteCondition } from './conditions.ts';
import { bytesOf, type Database, integerOf, textOf } from './database.ts';
import { S3Error } from './errors.ts';
import type { StoredObject, StoredPart, StoredUpload } from './stored.ts';

/** An event for a queue, written with the object that it tells of. */
export interface QueueEvent {
  readonly queueArn: string;
  readonly message: string;
}

/** A conditional write under way: a deletion of its key meanwhile makes it fail with 409, as in S3. */
export interface PendingWrite {
  isOvertaken: boolean;
  end(): void;
}

export interface Commit {
  readonly bucket: string;
  readonly key: string;
  readonly object: StoredObject;
  readonly condition: WriteCondition;
  readonly events: readonly QueueEvent[];
  readonly pending?: PendingWrite;
  /** The multipart upload that ends with this commit. */
  readonly uploadId?: string;
}

/** Which objects, uploads and parts there are. Every change is one transaction. */
export class Catalog {
  readonly #database: Database;
  readonly #pending = new Map<string, Set<PendingWrite>>();

  constructor(database: Database) {
    this.#database = database;
  }

  object(bucket: string, key: string): StoredObject | undefined {
    const row = this.#database.first(
      'SELECT record FROM objects WHERE bucket = ? AND key = ?',
      bucket,
      Buffer.from(key),
    );
    return row && parseObject(textOf(row, 'record'));
  }

  /** Announces a conditional write; the caller ends it. */
  beginWrite(bucket: string, key: string): PendingWrite {
    const name = `${bucket}/${key}`;
    const writes = this.#pending.get(name) ?? new Set();
    const write: PendingWrite = {
      isOvertaken: false,
      end: () => {
        writes.delete(write);
        if (writes.size === 0 && this.#pending.get(name) === writes) this.#pending.delete(name);
      },
    };
    this.#pending.set(name, writes.add(write));
    return write;
  }

  /**
   * Makes an object visible, with its events, if its condition holds; of racing writers exactly one passes.
   * @returns the object that it replaces, whose body is no longer needed
   * @throws {S3Error} PreconditionFailed, NoSuchKey, ConditionalRequestConflict
   */
  commit({ bucket, key, object, condition, events, pending, uploadId }: Commit): StoredObject | undefined {
    return this.#database.transaction(() => {
      if (condition.kind !== 'none' && pending?.isOvertaken) {
        throw new S3Error(
          'ConditionalRequestConflict',
          'A conflicting operation occurred during the upload. Try again.',
        );
      }
      const current = this.object(bucket, key);
      checkWriteCondition(condition, current);
      this.#database.run(
        'INSERT OR REPLACE INTO objects (bucket, key, record) VALUES (?, ?, ?)',
        bucket,
        Buffer.from(key),
        JSON.stringify(object),
      );
      for (const { queueArn, message } of events) {
        this.#database.run('INSERT INTO outbox (queue, message) VALUES (?, ?)', queueArn, message);
      }
      if (uploadId !== undefined) this.#dropUpload(uploadId);
      return current;
    });
  }

  /** @returns the object that was there */
  remove(bucket: string, key: string, condition: WriteCondition): StoredObject | undefined {
    return this.#database.transaction(() => {
      const current = this.object(bucket, key);
      checkWriteCondition(condition, current);
      if (!current) return undefined;
      this.#database.run('DELETE FROM objects WHERE bucket = ? AND key = ?', bucket, Buffer.from(key));
      for (const write of this.#pending.get(`${bucket}/${key}`) ?? []) write.isOvertaken = true;
      return current;
    });
  }

  /** Objects with `from <= key < to` in UTF-8 byte order; `to` undefined for no end. */
  range(bucket: string, from: Buffer, to: Buffer | undefined, limit: number): { key: string; object: StoredObject }[] {
    const rows = to
      ? this.#database.all(
          'SELECT key, record FROM objects WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?',
          bucket,
          from,
          to,
          limit,
        )
      : this.#database.all(
          'SELECT key, record FROM objects WHERE bucket = ? AND key >= ? ORDER BY key LIMIT ?',
          bucket,
          from,
          limit,
        );
    return rows.map((row) => ({ key: bytesOf(row, 'key').toString(), object: parseObject(textOf(row, 'record')) }));
  }

  startUpload(upload: StoredUpload): void {
    const { id, bucket, key } = upload;
    const record = JSON.stringify(upload);
    const sql = 'INSERT INTO uploads (id, bucket, key, record) VALUES (?, ?, ?, ?)';
    this.#database.run(sql, id, bucket, Buffer.from(key), record);
  }

  /** @throws {S3Error} NoSuchUpload */
  upload(id: string, bucket: string, key: string): StoredUpload {
    const sql = 'SELECT record FROM uploads WHERE id = ? AND bucket = ? AND key = ?';
    const row = this.#database.first(sql, id, bucket, Buffer.from(key));
    if (row) return parseUpload(textOf(row, 'record'));
    throw new S3Error(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      { UploadId: id },
    );
  }

  /** Uploads under way, by key and then id. */
  uploads(bucket: string): StoredUpload[] {
    const rows = this.#database.all('SELECT record FROM uploads WHERE bucket = ? ORDER BY key, id', bucket);
    return rows.map((row) => parseUpload(textOf(row, 'record')));
  }

  /** Records a part of an upload that still runs. @returns the part that it replaces @throws {S3Error} NoSuchUpload */
  putPart(upload: StoredUpload, part: StoredPart): StoredPart | undefined {
    return this.#database.transaction(() => {
      this.upload(upload.id, upload.bucket, upload.key);
      const sql = 'SELECT record FROM parts WHERE upload = ? AND number = ?';
      const previous = this.#database.first(sql, upload.id, part.number);
      this.#database.run(
        'INSERT OR REPLACE INTO parts (upload, number, record) VALUES (?, ?, ?)',
        upload.id,
        part.number,
        JSON.stringify(part),
      );
      return previous && parsePart(textOf(previous, 'record'));
    });
  }

  /** All parts, by number. */
  parts(uploadId: string): StoredPart[] {
    const rows = this.#database.all('SELECT record FROM parts WHERE upload = ? ORDER BY number', uploadId);
    return rows.map((row) => parsePart(textOf(row, 'record')));
  }

  abort(uploadId: string): void {
    this.#database.transaction(() => this.#dropUpload(uploadId));
  }

  /** The body files that objects and parts refer to. */
  referencedFiles(): Set<string> {
    const files = new Set<string>();
    for (const row of this.#database.all('SELECT record FROM objects')) {
      for (const { file } of parseObject(textOf(row, 'record')).segments) files.add(file);
    }
    for (const row of this.#database.all('SELECT record FROM parts')) {
      files.add(parsePart(textOf(row, 'record')).segment.file);
    }
    return files;
  }

  /** The oldest events not yet delivered. */
  undelivered(afterId: number, limit: number): (QueueEvent & { readonly id: number })[] {
    const rows = this.#database.all('SELECT * FROM outbox WHERE id > ? ORDER BY id LIMIT ?', afterId, limit);
    return rows.map((row) => ({
      id: integerOf(row, 'id'),
      queueArn: textOf(row, 'queue'),
      message: textOf(row, 'message'),
    }));
  }

  delivered(id: number): void {
    this.#database.run('DELETE FROM outbox WHERE id = ?', id);
  }

  #dropUpload(id: string): void {
    this.#database.run('DELETE FROM parts WHERE upload = ?', id);
    this.#database.run('DELETE FROM uploads WHERE id = ?', id);
  }
}

// Only this class writes records, in a database that it holds alone: they are read back as they are.
function parseObject(record: string): StoredObject {
  return JSON.parse(record);
}

function parseUpload(record: string): StoredUpload {
  return JSON.parse(record);
}

function parsePart(record: string): StoredPart {
  return JSON.parse(record);
}
