import { computeKinds } from './compute.ts';
import { harmlessKinds } from './harmless.ts';
import { httpApiKinds } from './http-api.ts';
import { identityKinds } from './identity.ts';
import type { Kind } from './kind.ts';
import { storageKinds } from './storage.ts';

/** Every resource type that the local cloud knows. */
export const kinds: Readonly<Record<string, Kind>> = {
  ...storageKinds,
  ...computeKinds,
  ...identityKinds,
  ...httpApiKinds,
  ...harmlessKinds,
};
