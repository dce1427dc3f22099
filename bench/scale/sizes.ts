import type { BufferEntry } from '../../shared/ports/round-store.ts';
import type { Manifest } from '../../shared/wire/workflow.ts';

const ticket = 'T'.repeat(43);
const key = `updates/some-task/${ticket}.safetensors`;
const sha256 = 'f'.repeat(64);
const metrics = { loss: 0.123456789, accuracy: 0.987654321 };
/** A compact JWS: its header, the seven claims, an Ed25519 signature. */
const statement = `${'h'.repeat(142)}.${'c'.repeat(320)}.${'s'.repeat(86)}`;
const etag = `"${'e'.repeat(32)}"`;
const agent = 'tributary-client/0.1.0 python/3.11 onnxruntime/1.30.0';
const common = { ticket, client: 'client-0000001', key, etag, dataOffset: 512, sha256, metrics, agent, statement };

/** An update in the buffer and in the manifest, in bytes: as the code writes them. */
export const sizes = {
  bufferEntry: bytesOf({
    ...common,
    sequence: `000001790000000-${ticket}`,
    baseVersion: 123,
    examples: 600,
    pk: 'BUFFER#some-task',
    sk: `000001790000000-${ticket}`,
  } satisfies Record<keyof Omit<BufferEntry, 'encoding'> | 'pk' | 'sk', unknown>),
  manifestUpdate: bytesOf({
    ...common,
    sequence: `000001790000000-${ticket}`,
    examples: 600,
    staleness: 1,
    weight: 0.000123456789,
  } satisfies Record<keyof Omit<Manifest['updates'][number], 'encoding'>, unknown>),
};

function bytesOf(record: object): number {
  return JSON.stringify(record).length;
}
