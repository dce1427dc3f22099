import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

/** A log file for each function, `<function>.log`, appended to. */
export interface FunctionLogs {
  write(functionName: string, line: string): void;
  /** Flushes every file. */
  close(): Promise<void>;
}

/** Keeps the logs in `folder`, which it makes. */
export function createFunctionLogs(folder: string): FunctionLogs {
  mkdirSync(folder, { recursive: true });
  const files = new Map<string, WriteStream>();
  return {
    write(functionName, line) {
      let file = files.get(functionName);
      if (!file) {
        file = createWriteStream(join(folder, `${functionName}.log`), { flags: 'a' });
        // A log that cannot be written must not end the run.
        file.on('error', () => {});
        files.set(functionName, file);
      }
      file.write(`${new Date().toISOString()} ${line}\n`);
    },
    async close() {
      const closing = [...files.values()].map(async (file) => {
        file.end();
        await finished(file).catch(() => {});
      });
      await Promise.all(closing);
    },
  };
}
