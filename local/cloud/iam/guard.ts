import { AccessDenied, type Guard, localAccount, type RequestContext } from '../service.ts';
import { type Caller, evaluate } from './evaluate.ts';
import { matchesGlob } from './glob.ts';
import { type PolicyDocument, parsePolicy, type Statement } from './policy.ts';

/** Somebody who can sign requests. */
export interface PrincipalConfig {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For people, e.g. `function AdmitUpdate (role AdmitUpdateServiceRole)`. */
  readonly name: string;
  /** The role's ARN, by which resource policies name it. */
  readonly arn?: string;
  readonly policies: readonly PolicyDocument[];
  /** May do everything that no resource policy denies: the CLI and the fleet simulator. */
  readonly administrator?: boolean;
}

/** A `Guard` that also judges AWS services which act by themselves, such as S3 sending a notification to a queue. */
export interface LocalGuard extends Guard {
  /** @throws {AccessDenied} unless the resource's own policy allows the service, e.g. `s3.amazonaws.com` */
  authorizeService(service: string, action: string, resource: string, context?: RequestContext): void;
}

interface Known {
  readonly secretAccessKey: string;
  readonly name: string;
  readonly caller: Caller;
  readonly statements: readonly Statement[];
}

const everything: PolicyDocument = { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } };

/**
 * Builds the guard of the local cloud. Loopback counts as `aws:SecureTransport`.
 * @param resourcePolicies by the ARN (or ARN pattern) of the resource; a bucket's policy also covers its objects
 * @throws {RangeError} naming a malformed policy, an unknown condition operator, or a duplicate access key
 */
export function createGuard(config: {
  readonly principals: readonly PrincipalConfig[];
  readonly resourcePolicies?: Readonly<Record<string, readonly PolicyDocument[]>>;
}): LocalGuard {
  const known = new Map<string, Known>();
  for (const principal of config.principals) {
    const { accessKeyId, secretAccessKey, name, arn } = principal;
    if (known.has(accessKeyId)) throw new RangeError(`access key ${accessKeyId} of ${name} is already taken`);
    const policies = principal.administrator ? [everything, ...principal.policies] : principal.policies;
    known.set(accessKeyId, {
      secretAccessKey,
      name,
      caller: { type: 'role', arn },
      statements: policies.flatMap((policy) => parsePolicy(policy, 'identity', name)),
    });
  }
  const onResources = Object.entries(config.resourcePolicies ?? {}).map(([arn, policies]) => ({
    arn,
    statements: policies.flatMap((policy) => parsePolicy(policy, 'resource', arn)),
  }));
  const statementsOn = (resource: string) =>
    onResources.flatMap(({ arn, statements }) =>
      matchesGlob(arn, resource) || matchesGlob(`${arn}/*`, resource) ? statements : [],
    );

  const judge = (name: string, caller: Caller, identity: readonly Statement[], call: CallOf) => {
    const { action, resource, context } = call;
    const verdict = evaluate({
      identity,
      resource: statementsOn(resource),
      caller,
      call: { action, resource, context: { ...globalKeys(caller), ...context } },
    });
    if (!verdict.allowed) throw new AccessDenied(name, action, resource, verdict.why);
  };

  return {
    secretOf: (accessKeyId) => known.get(accessKeyId)?.secretAccessKey,
    authorize(accessKeyId, action, resource, context) {
      const principal = known.get(accessKeyId);
      if (!principal) throw new AccessDenied(`access key ${accessKeyId}`, action, resource, 'nobody holds that key');
      judge(principal.name, principal.caller, principal.statements, { action, resource, context });
    },
    authorizeService(service, action, resource, context) {
      judge(service, { type: 'service', service }, [], { action, resource, context });
    },
  };
}

interface CallOf {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext | undefined;
}

/** Condition keys that AWS adds to every request. */
function globalKeys(caller: Caller): RequestContext {
  const shared = {
    'aws:SecureTransport': 'true',
    'aws:RequestedRegion': localAccount.region,
    'aws:PrincipalIsAWSService': String(caller.type === 'service'),
  };
  if (caller.type === 'service') return { ...shared, 'aws:SourceAccount': localAccount.accountId };
  const own = { ...shared, 'aws:PrincipalAccount': localAccount.accountId };
  return caller.arn === undefined ? own : { ...own, 'aws:PrincipalArn': caller.arn };
}
