import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PolicyDocument } from '../../iam/policy.ts';
import { localAccount } from '../../service.ts';
import { type Json, parseWith } from '../assembly.ts';
import type { Draft } from '../draft.ts';

/** One resource and the physical name that it has in the account. */
export interface Identity {
  readonly stackName: string;
  readonly logicalId: string;
  readonly name: string;
}

/** What the local cloud knows of one resource type. */
export interface Kind {
  /** The property that names the resource; without one the name is made from stack and logical id. */
  readonly nameProperty?: string;
  nameOf(stackName: string, logicalId: string): string;
  ref(self: Identity): string;
  readonly attributes: Readonly<Record<string, (self: Identity) => string>>;
  /** Puts the resource into the draft. @throws {FlError} `template-unsupported` for a property it does not know */
  add(self: Identity, properties: Json, draft: Draft, where: string): void;
}

interface Description<T> {
  /** A strict schema: a property that is not in it is an error. */
  readonly properties: z.ZodType<T>;
  readonly nameProperty?: string;
  readonly nameOf?: Kind['nameOf'];
  readonly ref?: Kind['ref'];
  readonly attributes?: Kind['attributes'];
  add(self: Identity, properties: T, draft: Draft, where: string): void;
}

/** Builds a kind whose `add` gets parsed properties. */
export function kind<T>({ properties, add, ...rest }: Description<T>): Kind {
  return {
    nameOf: (stackName, logicalId) => generatedName(stackName, logicalId, 64),
    ref: (self) => self.name,
    attributes: {},
    ...rest,
    add(self, value, draft, where) {
      add(self, parseWith(properties, value, where, 'template-unsupported'), draft, where);
    },
  };
}

/** A name for a resource that the template leaves unnamed; one that is too long keeps its start and gets a hash. */
export function generatedName(stackName: string, logicalId: string, limit: number): string {
  const name = `${stackName}-${logicalId}`;
  return name.length <= limit ? name : `${name.slice(0, limit - 9)}-${stableId(name, 8)}`;
}

/** A property that is read by nobody here; the reason stands at its use. */
export const ignored = z.json().optional();

export const tags = ignored;

/** A policy document. Its statements are the guard's to check, which names the policy in its errors. */
export const policyDocument = z.custom<PolicyDocument>(
  (value) => typeof value === 'object' && value !== null && 'Statement' in value,
  'a policy document wants statements',
);

/** `arn:aws:service:region:account:resource`. */
export function arn(service: string, resource: string): string {
  const { partition, region, accountId } = localAccount;
  return `arn:${partition}:${service}:${region}:${accountId}:${resource}`;
}

/** A short id that is the same in every run, as an account would give at random. */
export function stableId(text: string, length: number): string {
  const digest = createHash('sha256').update(text).digest();
  return Array.from(digest.subarray(0, length), (byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]).join('');
}
