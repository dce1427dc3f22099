import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { keyFileStore } from '../../../client/typescript/key-file-store.ts';
import { type KeyStore, memoryKeys } from '../../../client/typescript/key-store.ts';
import { FlError } from '../../../shared/core/errors.ts';
import { type Cloud, startCloud } from '../../cloud/cloud.ts';
import { type CloudFile, cloudFile, readCloudFile, stateFolder } from '../endpoint.ts';
import { OperatorApi } from '../operator-api.ts';
import { synthesize } from '../synthesize.ts';

/** A local cloud that this process runs, and how to speak to it. */
export interface OwnCloud {
  readonly cloud: Cloud;
  readonly api: OperatorApi;
  readonly endpoint: string;
  /** Its state: buckets, tables, logs. */
  readonly folder: string;
  /** Where a client's keys are while the cloud is: in `folder` if it is kept, for the next start, otherwise in memory. */
  keysOf(client: string): KeyStore;
  /** Ends it. A kept one leaves its state for the next `start --keep`; any other leaves nothing, unless the run failed. */
  close(ending: 'done' | 'failed'): Promise<void>;
}

/**
 * Synthesizes the stack and runs it on 127.0.0.1.
 * @param keep on the folder of the last `--keep`, for other commands to find; otherwise on a fresh folder
 * @throws {FlError} `cloud-running` if one is kept running here already; what synthesis and the cloud throw
 */
export async function openCloud(
  { keep, log }: { readonly keep: boolean; readonly log: (line: string) => void },
  signal: AbortSignal,
): Promise<OwnCloud> {
  const running = keep ? await readCloudFile() : undefined;
  if (running) {
    throw new FlError(
      'cloud-running',
      `process ${running.pid} keeps a local cloud here already: use it, or end it first`,
    );
  }
  const folder = resolve(stateFolder, keep ? 'kept' : join('runs', `${Date.now()}-${process.pid}`));
  const cloud = await startOn(folder, log, signal).catch(async (error: unknown) => {
    if (!keep) await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const endpoint = cloud.outputs.ApiUrl?.replace(/\/+$/, '');
  if (!endpoint) {
    await cloud.close();
    throw new FlError('assembly-invalid', 'the stack has no output ApiUrl');
  }
  const { accessKeyId, secretAccessKey, region } = cloud.credentials;
  const credentials = { accessKeyId, secretAccessKey };
  const keysFolder = join(folder, 'keys');
  if (keep) {
    await announce({ endpoint, region, credentials, pid: process.pid });
    await mkdir(keysFolder, { recursive: true, mode: 0o700 });
  }
  return {
    cloud,
    api: new OperatorApi({ url: endpoint, region, credentials: async () => credentials }),
    endpoint,
    folder,
    keysOf: keep ? (client) => keyFileStore(join(keysFolder, `${client}.json`), endpoint) : memoryKeys,
    close: async (ending) => {
      await cloud.close();
      if (keep) await rm(cloudFile, { force: true });
      else if (ending === 'done') await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startOn(folder: string, log: (line: string) => void, signal: AbortSignal): Promise<Cloud> {
  const assembly = join(folder, 'assembly');
  await synthesize(assembly, signal);
  signal.throwIfAborted();
  const cloud = await startCloud({ assembly, dir: join(folder, 'state'), log });
  cloud.warm();
  return cloud;
}

async function announce(file: CloudFile): Promise<void> {
  await mkdir(stateFolder, { recursive: true });
  // It holds a key, though one that opens nothing but this local cloud.
  await writeFile(cloudFile, JSON.stringify(file, undefined, 2), { mode: 0o600 });
}
