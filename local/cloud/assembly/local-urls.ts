import { localAccount } from '../service.ts';
import type { Json } from '../template/assembly.ts';
import { isArray, isRecord } from '../template/intrinsics.ts';
import { apiEndpointOf } from '../template/kinds/http-api.ts';
import type { CloudPlan } from '../template/plan.ts';

/** Replaces the URLs that an account would have by those of this machine. */
export interface LocalUrls {
  text(value: string): string;
  json(value: Json): Json;
}

/** @param apis local URL of each API by its id */
export function localUrls(
  plan: CloudPlan,
  services: { readonly s3: string; readonly sqs: string },
  apis: ReadonlyMap<string, string>,
): LocalUrls {
  const { region } = localAccount;
  const pairs: [string, string][] = [[`https://sqs.${region}.amazonaws.com`, services.sqs]];
  for (const [id, url] of apis) pairs.push([apiEndpointOf(id), url]);
  for (const { name } of plan.buckets) {
    pairs.push([`https://${name}.s3.${region}.amazonaws.com`, `${services.s3}/${name}`]);
    pairs.push([`https://${name}.s3.amazonaws.com`, `${services.s3}/${name}`]);
  }
  const text = (value: string) => pairs.reduce((so, [remote, local]) => so.replaceAll(remote, local), value);
  const json = (value: Json): Json => {
    if (typeof value === 'string') return text(value);
    if (isArray(value)) return value.map(json);
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, json(item)]));
  };
  return { text, json };
}
