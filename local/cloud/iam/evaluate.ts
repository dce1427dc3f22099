import type { RequestContext } from '../service.ts';
import { holds } from './condition.ts';
import { matchesGlob } from './glob.ts';
import { type PolicyDocument, type Principals, parsePolicy, type Statement } from './policy.ts';

/** Who calls: a role or user of the account, or an AWS service that acts by itself. */
export type Caller =
  | { readonly type: 'role'; readonly arn: string | undefined }
  | { readonly type: 'service'; readonly service: string };

/** One request to be judged. */
export interface Call {
  /** Such as `s3:GetObject`. */
  readonly action: string;
  readonly resource: string;
  readonly context?: RequestContext;
}

/** `why` finishes AWS's sentence "... is not authorized to perform ... because". */
export interface Verdict {
  readonly allowed: boolean;
  readonly why: string;
}

/**
 * AWS's decision within one account: an explicit deny wins, else an allow of either side is enough, else denied.
 * "Policy evaluation logic", IAM user guide. A service principal is judged by the resource's policies alone.
 * @throws {RangeError} on a malformed policy or an unknown operator
 */
export function evaluatePolicies(request: {
  readonly identity: readonly PolicyDocument[];
  readonly resource?: readonly PolicyDocument[];
  readonly principal: Caller;
  readonly call: Call;
}): Verdict {
  return evaluate({
    identity: request.identity.flatMap((document, i) => parsePolicy(document, 'identity', `identity (${i})`)),
    resource: (request.resource ?? []).flatMap((document, i) => parsePolicy(document, 'resource', `resource (${i})`)),
    caller: request.principal,
    call: request.call,
  });
}

/** `evaluatePolicies` for policies that are parsed already. */
export function evaluate(request: {
  readonly identity: readonly Statement[];
  readonly resource: readonly Statement[];
  readonly caller: Caller;
  readonly call: Call;
}): Verdict {
  const { caller, call } = request;
  const identity = caller.type === 'service' ? [] : request.identity.filter((statement) => concerns(statement, call));
  const resource = request.resource.filter(
    (statement) => concerns(statement, call) && names(statement.principals, caller, statement.effect),
  );
  for (const [kind, statements] of [
    ['identity', identity],
    ['resource', resource],
  ] as const) {
    const denial = statements.find((statement) => statement.effect === 'Deny');
    if (denial) return { allowed: false, why: `${deniedBy(kind, denial)} the ${call.action} action` };
  }
  if (identity.length > 0) return { allowed: true, why: 'an identity-based policy allows it' };
  if (resource.length > 0) return { allowed: true, why: 'a resource-based policy allows it' };
  const side = caller.type === 'service' ? 'resource' : 'identity';
  return { allowed: false, why: `no ${side}-based policy allows the ${call.action} action` };
}

function deniedBy(kind: 'identity' | 'resource', { sid }: Statement): string {
  const article = kind === 'identity' ? 'an identity' : 'a resource';
  return `${article}-based policy explicitly denies${sid ? ` (statement "${sid}")` : ''}`;
}

function concerns({ actions, resources, conditions }: Statement, call: Call): boolean {
  const action = call.action.toLowerCase();
  return (
    actions.patterns.some((pattern) => matchesGlob(pattern, action)) !== actions.except &&
    resources.patterns.some((pattern) => matchesGlob(pattern, call.resource)) !== resources.except &&
    conditions.every((condition) => holds(condition, call.context ?? {}))
  );
}

function names(principals: Principals | undefined, caller: Caller, effect: Statement['effect']): boolean {
  if (!principals) return false;
  if (principals.anyone) return true;
  if (caller.type === 'service') return principals.services.includes(caller.service);
  return principals.aws.some((principal) => {
    // Naming the account allows nobody by itself: it leaves the choice to identity policies. A denial, though, hits everyone.
    if (/^(\d{12}|arn:[^:]+:iam::\d{12}:root)$/.test(principal)) return effect === 'Deny';
    return principal === caller.arn;
  });
}
