import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEvent } from './history.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

/** The first line of a journal: what was started. */
export interface StartRecord {
  readonly arn: string;
  readonly name: string;
  readonly machineArn: string;
  readonly inputText: string;
  readonly startMs: number;
  /** An execution runs to its end with the definition that it began with. */
  readonly definition: Json;
}

export type EndStatus = 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';

/** The last line of a journal: how it ended. */
export interface EndRecord {
  readonly status: EndStatus;
  readonly stopMs: number;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** What a journal says about an execution. */
export interface Journalled {
  readonly start: StartRecord;
  readonly end: EndRecord | undefined;
  readonly lastEventId: number;
  /** The last state of the outermost process that was entered, with the variables of that moment. */
  readonly checkpoint: { readonly event: HistoryEvent; readonly variables: Record<string, Json> } | undefined;
}

/**
 * Append-only JSON lines, a file for each execution. A line counts once its newline is written, so that a process killed while
 * writing leaves at worst a piece of a line, which is cut off when the journal is next opened.
 */
export class Journals {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  /** A file name that keeps apart names which differ only in case or in characters that files cannot have. */
  fileOf({ machineArn, name }: Pick<StartRecord, 'machineArn' | 'name'>): string {
    const hash = createHash('sha256').update(`${machineArn}\n${name}`).digest('hex').slice(0, 16);
    return join(this.#dir, `${name.replace(/[^A-Za-z0-9_-]/g, '_')}.${hash}.jsonl`);
  }

  append(file: string, lines: readonly string[]): void {
    appendFileSync(file, `${lines.join('\n')}\n`);
  }

  /** All executions that were ever acknowledged. @throws {Error} naming a journal that is damaged otherwise than at its end */
  *readAll(): Generator<Journalled> {
    for (const name of readdirSync(this.#dir).filter((entry) => entry.endsWith('.jsonl'))) {
      const journalled = this.#read(join(this.#dir, name));
      if (journalled !== undefined) yield journalled;
    }
  }

  events(file: string): HistoryEvent[] {
    return wholeLines(readFileSync(file, 'utf8')).flatMap((line, i) => {
      const { event } = parseLine(file, line, i);
      return isEvent(event) ? [event] : [];
    });
  }

  #read(file: string): Journalled | undefined {
    const text = readFileSync(file, 'utf8');
    const lines = wholeLines(text);
    if (lines.length === 0) {
      // nobody was told of an execution whose first line is not whole: its name stays free
      rmSync(file);
      return undefined;
    }
    const { start } = parseLine(file, lines[0], 0);
    if (!isStart(start)) throw new Error(`[states] journal ${file} does not begin with a start record`);
    const { end } = parseLine(file, lines[lines.length - 1], lines.length - 1);
    if (isEnd(end)) return { start, end, lastEventId: 0, checkpoint: undefined };
    const kept = lines.reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0);
    if (kept < Buffer.byteLength(text)) truncateSync(file, kept);
    let lastEventId = 0;
    let checkpoint: Journalled['checkpoint'];
    for (const [i, line] of lines.entries()) {
      const { event, variables } = parseLine(file, line, i);
      if (!isEvent(event)) continue;
      lastEventId = event.id;
      if (isJsonObject(variables)) checkpoint = { event, variables };
    }
    return { start, end: undefined, lastEventId, checkpoint };
  }
}

function wholeLines(text: string): string[] {
  const lines = text.split('\n');
  lines.pop();
  return lines;
}

function parseLine(file: string, line: string, index: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (isObject(value)) return value;
  } catch (cause) {
    throw new Error(`[states] journal ${file}, line ${index + 1} is not JSON`, { cause });
  }
  throw new Error(`[states] journal ${file}, line ${index + 1} is not an object`);
}

function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value);
}

function isEvent(value: unknown): value is HistoryEvent {
  return isObject(value) && typeof value.id === 'number' && typeof value.type === 'string';
}

function isStart(value: unknown): value is StartRecord {
  return (
    isObject(value) &&
    ['arn', 'name', 'machineArn', 'inputText'].every((key) => typeof value[key] === 'string') &&
    typeof value.startMs === 'number' &&
    value.definition !== undefined
  );
}

function isEnd(value: unknown): value is EndRecord {
  return isObject(value) && typeof value.status === 'string' && typeof value.stopMs === 'number';
}
