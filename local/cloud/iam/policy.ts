import { z } from 'zod';
import { type Condition, parseCondition } from './condition.ts';

const oneOrMore = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const conditionValue = z.union([z.string(), z.boolean(), z.number()]);

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z
    .union([z.literal('*'), z.strictObject({ AWS: oneOrMore.optional(), Service: oneOrMore.optional() })])
    .optional(),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  NotResource: oneOrMore.optional(),
  Condition: z
    .record(z.string(), z.record(z.string(), z.union([conditionValue, z.array(conditionValue).min(1)])))
    .optional(),
});

const documentSchema = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  Statement: z.union([statementSchema, z.array(statementSchema)]),
});

/** A policy as JSON, every intrinsic function of the template resolved. */
export type PolicyDocument = z.input<typeof documentSchema>;

/** Whether a policy hangs on an identity (role) or on a resource (bucket, queue). */
export type PolicyKind = 'identity' | 'resource';

/** Who a statement of a resource policy speaks of. */
export interface Principals {
  readonly anyone: boolean;
  readonly aws: readonly string[];
  readonly services: readonly string[];
}

/** A statement, checked; patterns keep their `*` and `?`, actions are in lower case. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: 'Allow' | 'Deny';
  readonly principals: Principals | undefined;
  readonly actions: { readonly patterns: readonly string[]; readonly except: boolean };
  readonly resources: { readonly patterns: readonly string[]; readonly except: boolean };
  readonly conditions: readonly Condition[];
}

/**
 * Checks a policy and brings it into the form that `evaluate` reads.
 * @param where names the policy in errors, e.g. `role AdmitUpdateServiceRole`
 * @throws {RangeError} naming what is malformed or not known to the local cloud
 */
export function parsePolicy(document: unknown, kind: PolicyKind, where: string): readonly Statement[] {
  const parsed = documentSchema.safeParse(document);
  if (!parsed.success) throw new RangeError(`policy of ${where}: ${firstIssue(parsed.error)}`);
  const { Statement } = parsed.data;
  return (Array.isArray(Statement) ? Statement : [Statement]).map((statement, i) => {
    try {
      return parseStatement(statement, kind);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new RangeError(`policy of ${where}: statement ${statement.Sid ?? i}: ${reason}`, { cause });
    }
  });
}

function parseStatement(raw: z.output<typeof statementSchema>, kind: PolicyKind): Statement {
  if (kind === 'identity' && raw.Principal !== undefined) throw new RangeError('an identity policy has no Principal');
  if (kind === 'resource' && raw.Principal === undefined) throw new RangeError('a resource policy needs a Principal');
  const actions = eitherOf('Action', raw.Action, raw.NotAction);
  for (const pattern of actions.patterns) {
    if (!/^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$/.test(pattern)) {
      throw new RangeError(`action "${pattern}" is not of the form service:Action`);
    }
  }
  const resources = eitherOf('Resource', raw.Resource, raw.NotResource);
  for (const pattern of resources.patterns) {
    if (pattern.includes('${')) throw new RangeError(`resource "${pattern}" has a policy variable: not supported`);
    if (pattern !== '*' && !pattern.startsWith('arn:')) throw new RangeError(`resource "${pattern}" is not an ARN`);
  }
  return {
    sid: raw.Sid,
    effect: raw.Effect,
    principals: raw.Principal === undefined ? undefined : parsePrincipals(raw.Principal),
    actions: { ...actions, patterns: actions.patterns.map((pattern) => pattern.toLowerCase()) },
    resources,
    conditions: Object.entries(raw.Condition ?? {}).flatMap(([operator, block]) =>
      Object.entries(block).map(([key, values]) => parseCondition(operator, key, listOf(values).map(String))),
    ),
  };
}

function parsePrincipals(raw: NonNullable<z.output<typeof statementSchema>['Principal']>): Principals {
  if (raw === '*') return { anyone: true, aws: [], services: [] };
  const aws = listOf(raw.AWS ?? []);
  return { anyone: aws.includes('*'), aws, services: listOf(raw.Service ?? []) };
}

function eitherOf(name: string, plain: string | string[] | undefined, inverted: string | string[] | undefined) {
  if (plain !== undefined && inverted !== undefined) throw new RangeError(`has both ${name} and Not${name}`);
  const patterns = plain ?? inverted;
  if (patterns === undefined) throw new RangeError(`has neither ${name} nor Not${name}`);
  return { patterns: listOf(patterns), except: inverted !== undefined };
}

function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

function firstIssue(error: z.ZodError): string {
  // A union reports its branches; the deepest issue is the one that a reader can act on.
  const flat = error.issues.flatMap((issue) =>
    issue.code === 'invalid_union'
      ? issue.errors.flat().map((e) => ({ ...e, path: [...issue.path, ...e.path] }))
      : [issue],
  );
  const deepest = flat.reduce((best, issue) => (issue.path.length > best.path.length ? issue : best));
  return `${deepest.path.map(String).join('.') || 'document'}: ${deepest.message}`;
}
