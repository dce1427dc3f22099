import type { Codec } from '../../shared/core/codec/codec.ts';
import type { Metrics } from '../../shared/wire/api.ts';
import type { Store } from './store.ts';

/** An update that is trained and encoded but not yet known to be stored: what a crash must not lose. */
export interface PendingUpdate {
  readonly ticket: string;
  readonly baseVersion: number;
  readonly expiresAtMs: number;
  readonly examples: number;
  readonly metrics: Metrics;
  readonly sha256: string;
  /** How the update is written; absent for plain float32. */
  readonly codec?: Codec;
  /** A safetensors file. */
  readonly bytes: Uint8Array;
  /** What the codec left out: the client adds it to its next update once this one is stored. */
  readonly residual?: Float32Array;
}

const keyOf = (task: string, client: string) => `pending/${task}/${client}`;

/** What a crash must not lose: an update on its way, and what a lossy codec left out of the one before. */
export function isUpdateKey(key: string): boolean {
  return key.startsWith('pending/') || key.startsWith('residual/');
}

/** One value, so that a crash leaves the whole update or none: a line of JSON, the file, the residual. */
export async function savePending(store: Store, task: string, client: string, update: PendingUpdate): Promise<void> {
  const { bytes, residual = new Float32Array(0), ...about } = update;
  const line = new TextEncoder().encode(`${JSON.stringify({ ...about, residualBytes: residual.byteLength })}\n`);
  const value = new Uint8Array(line.length + bytes.length + residual.byteLength);
  value.set(line);
  value.set(bytes, line.length);
  value.set(new Uint8Array(residual.buffer, residual.byteOffset, residual.byteLength), line.length + bytes.length);
  await store.set(keyOf(task, client), value);
}

/** The update that a crash left behind, or undefined if there is none or it cannot be read. */
export async function loadPending(store: Store, task: string, client: string): Promise<PendingUpdate | undefined> {
  const value = await store.get(keyOf(task, client));
  const end = value?.indexOf(0x0a) ?? -1;
  if (!value || end < 0) return undefined;
  try {
    const about: unknown = JSON.parse(new TextDecoder().decode(value.subarray(0, end)));
    if (!isAbout(about)) return undefined;
    const { residualBytes, ...rest } = about;
    const residualAt = value.length - residualBytes;
    return {
      ...rest,
      bytes: value.slice(end + 1, residualAt),
      ...(residualBytes > 0 && { residual: new Float32Array(new Uint8Array(value.subarray(residualAt)).buffer) }),
    };
  } catch {
    return undefined;
  }
}

export function dropPending(store: Store, task: string, client: string): Promise<void> {
  return store.delete(keyOf(task, client));
}

function isAbout(about: unknown): about is Omit<PendingUpdate, 'bytes' | 'residual'> & { residualBytes: number } {
  if (typeof about !== 'object' || about === null) return false;
  const { ticket, baseVersion, expiresAtMs, examples, metrics, sha256, residualBytes } = about as Record<
    string,
    unknown
  >;
  return (
    typeof ticket === 'string' &&
    typeof baseVersion === 'number' &&
    typeof expiresAtMs === 'number' &&
    typeof examples === 'number' &&
    typeof sha256 === 'string' &&
    typeof residualBytes === 'number' &&
    residualBytes >= 0 &&
    residualBytes % 4 === 0 &&
    typeof metrics === 'object' &&
    metrics !== null
  );
}
