import type { UsageKind } from '../../shared/core/cost/prices.ts';

/** What the parts of the local cloud agree on. Each AWS service is one HTTP server on 127.0.0.1. */

/** A running local service. */
export interface LocalService {
  /** `http://127.0.0.1:PORT`, no trailing slash. */
  readonly url: string;
  close(): Promise<void>;
}

/** Knows who holds an access key and what they may do. Services ask it before they act. */
export interface Guard {
  /** The secret behind an access key, or undefined if nobody holds it. */
  secretOf(accessKeyId: string): string | undefined;
  /**
   * Returns if the call is allowed.
   * @param action IAM action such as `s3:GetObject`
   * @param resource full ARN such as `arn:aws:s3:::bucket/key`
   * @throws {AccessDenied} naming principal, action and resource
   */
  authorize(accessKeyId: string, action: string, resource: string, context?: RequestContext): void;
}

/** IAM condition keys of one request, e.g. `{'aws:SecureTransport': 'true'}`. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

/** The caller's role does not allow the call. */
export class AccessDenied extends Error {
  override readonly name = 'AccessDenied';
  readonly principal: string;
  readonly action: string;
  readonly resource: string;

  constructor(principal: string, action: string, resource: string, why: string) {
    super(`${principal} is not authorized to perform: ${action} on resource: ${resource} because ${why}`);
    this.principal = principal;
    this.action = action;
    this.resource = resource;
  }
}

/** Counts what an account would be billed for. */
export interface Meter {
  count(kind: UsageKind, amount?: number): void;
}

/** The account and region that the local cloud pretends to be. */
export const localAccount = { accountId: '000000000000', region: 'us-east-1', partition: 'aws' } as const;
