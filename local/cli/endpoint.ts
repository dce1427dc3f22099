import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Option } from 'commander';
import { z } from 'zod';
import { isAlive } from '../cloud/process-alive.ts';
import { UsageError } from './console.ts';
import { httpUrl } from './values.ts';

/** Keys as SigV4 wants them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** An API and who speaks to it. */
export interface Endpoint {
  readonly url: string;
  readonly region: string;
  readonly credentials: () => Promise<Credentials>;
}

/** The folder that holds what `start` keeps between commands. */
export const stateFolder = '.tributary';
/** Written by `start --keep` while its local cloud runs, for commands in other shells. */
export const cloudFile = join(stateFolder, 'cloud.json');

const cloudFileSchema = z.object({
  endpoint: z.string(),
  region: z.string(),
  credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
  pid: z.number().int(),
});
export type CloudFile = z.output<typeof cloudFileSchema>;

export const endpointOption = () =>
  new Option(
    '--endpoint <url>',
    "the API's address: the stack's output ApiUrl, or a local one. Default: the local cloud of a running `tributary start --keep`",
  )
    .argParser(httpUrl)
    .env('TRIBUTARY_ENDPOINT');

/** Where a key file says which API its client belongs to: not from the environment, which may be the operator's. */
export const givenEndpointOption = () =>
  new Option('--endpoint <url>', "the API's address, if it is another than in the key file").argParser(httpUrl);

/**
 * The API to speak to: the given one, else the local cloud that `start --keep` runs in this folder.
 * @throws {UsageError} if there is neither
 */
export async function resolveEndpoint(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Endpoint> {
  const local = await readCloudFile();
  if (local && (given === undefined || sameOrigin(given, local.endpoint))) {
    return { url: local.endpoint, region: local.region, credentials: async () => local.credentials };
  }
  if (given === undefined) {
    throw new UsageError(
      'no endpoint: give --endpoint URL or set TRIBUTARY_ENDPOINT, or run `tributary start --keep` in this folder first',
    );
  }
  return { url: given.replace(/\/+$/, ''), region: regionOf(given, env), credentials: defaultChain };
}

/** What `start --keep` left, if its process still lives. */
export async function readCloudFile(path = cloudFile): Promise<CloudFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const cloud = cloudFileSchema.parse(JSON.parse(text));
    return isAlive(cloud.pid) ? cloud : undefined;
  } catch {
    return undefined;
  }
}

function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}

/** `https://ID.execute-api.REGION.amazonaws.com` says its region; for any other name AWS_REGION does. */
function regionOf(url: string, env: Readonly<Record<string, string | undefined>>): string {
  const region = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/.exec(new URL(url).hostname)?.[1];
  return region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
}

async function defaultChain(): Promise<Credentials> {
  // Loaded late: it is the slowest import, and only a deployed endpoint needs it.
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
  try {
    return await fromNodeProviderChain()();
  } catch (cause) {
    throw new UsageError(
      'no AWS credentials found: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws sso login`',
      { cause },
    );
  }
}
