import { createHash } from 'node:crypto';
import { fetchTransport, type Transport } from '../../client/typescript/transport.ts';
import type { Publication } from '../simulation/world/journal.ts';
import type { RawCloud } from './raw-cloud.ts';

/**
 * What the clients sent and what was there when a version came out: the checker needs both, because updates are deleted
 * once they are aggregated, and because what changed later would look whole at the end.
 */
export class Witness {
  /** Key -> bytes of every upload that was tried. */
  readonly uploads = new Map<string, Uint8Array>();
  /** Keys of uploads that S3 said it has. */
  readonly acknowledged = new Set<string>();
  readonly publications: Publication[] = [];

  /** A transport that keeps what passes through it. */
  readonly transport: Transport = async (request) => {
    const key = request.method === 'PUT' ? updateKeyOf(request.url) : undefined;
    if (key !== undefined && request.body) this.uploads.set(key, request.body.slice());
    const response = await fetchTransport(request);
    if (key !== undefined && response.status === 200) this.acknowledged.add(key);
    return response;
  };

  get version(): number {
    return this.publications.length - 1;
  }

  /** Takes down the versions that are new. */
  async look(cloud: RawCloud, task: string): Promise<void> {
    for (const item of await cloud.items(`VERSIONS#${task}`, this.publications.length)) {
      const { evaluation: _, seal: __, ...kept } = { evaluation: undefined, seal: undefined, ...item };
      const { model, manifestKey } = item;
      const keys = [model.key, ...Object.values(model.stateKeys ?? {}), manifestKey];
      const files: Record<string, string> = {};
      for (const key of keys) {
        if (key === undefined) continue;
        const bytes = await cloud.object(cloud.modelsBucket, key);
        files[key] = bytes ? createHash('sha256').update(bytes).digest('hex') : 'missing';
      }
      this.publications.push({ version: item.version, record: JSON.stringify(kept), files });
    }
  }
}

function updateKeyOf(url: string): string | undefined {
  return /\/(updates\/[^?]+)/.exec(decodeURIComponent(new URL(url).pathname))?.[1];
}
