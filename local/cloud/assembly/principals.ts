import { createHash } from 'node:crypto';
import { FlError } from '../../../shared/core/errors.ts';
import type { PrincipalConfig } from '../iam/guard.ts';
import type { RoleCredentials } from '../lambda/variables.ts';
import { localAccount } from '../service.ts';
import type { CloudPlan } from '../template/plan.ts';

/** Everybody who holds an access key. */
export interface Principals {
  readonly operator: RoleCredentials;
  readonly configs: readonly PrincipalConfig[];
  /** @throws {FlError} `role-unknown` */
  credentialsOf(roleArn: string): RoleCredentials;
  /** ARN of the caller behind a key, as an HTTP API tells it. */
  arnOf(accessKeyId: string): string;
  /** The credentials behind a key. @throws {FlError} `role-unknown` */
  holderOf(accessKeyId: string): RoleCredentials;
}

/** One access key for each role, and the operator's, who may do everything. @param secretFor a secret by name */
export function principalsOf(plan: CloudPlan, secretFor: (name: string) => string): Principals {
  const { accountId, partition } = localAccount;
  const operator = { accessKeyId: accessKeyOf('operator'), secretAccessKey: secretFor('operator') };
  const operatorArn = `arn:${partition}:iam::${accountId}:user/operator`;
  const configs: PrincipalConfig[] = [
    { ...operator, name: 'operator', arn: operatorArn, policies: [], administrator: true },
  ];
  const callers = new Map([[operator.accessKeyId, operatorArn]]);
  const byRole = new Map<string, RoleCredentials>();
  for (const { name, arn, policies } of plan.roles) {
    const credentials = { accessKeyId: accessKeyOf(`role/${name}`), secretAccessKey: secretFor(`role/${name}`) };
    byRole.set(arn, credentials);
    callers.set(credentials.accessKeyId, `arn:${partition}:sts::${accountId}:assumed-role/${name}/local`);
    configs.push({ ...credentials, name: describe(plan, arn, name), arn, policies: [...policies] });
  }
  return {
    operator,
    configs,
    credentialsOf(roleArn) {
      const found = byRole.get(roleArn);
      if (!found) throw new FlError('role-unknown', `no role has the ARN ${roleArn}`);
      return found;
    },
    arnOf: (accessKeyId) => callers.get(accessKeyId) ?? operatorArn,
    holderOf(accessKeyId) {
      const found = configs.find((config) => config.accessKeyId === accessKeyId);
      if (!found) throw new FlError('role-unknown', `no role has the access key ${accessKeyId}`);
      return { accessKeyId, secretAccessKey: found.secretAccessKey };
    },
  };
}

/** `function Admit (role AdmitRole)`: who is missing a grant, in the words of the template. */
function describe({ functions, machines }: CloudPlan, roleArn: string, roleName: string): string {
  const users = [
    ...functions.filter((user) => user.roleArn === roleArn).map(({ name }) => `function ${name}`),
    ...machines.filter((user) => user.roleArn === roleArn).map(({ name }) => `state machine ${name}`),
  ];
  return users.length > 0 ? `${users.join(', ')} (role ${roleName})` : `role ${roleName}`;
}

/** 20 upper-case characters, as long as a real key and plainly not one. */
function accessKeyOf(name: string): string {
  return `LOCALAKIA${createHash('sha256').update(name).digest('hex').slice(0, 11).toUpperCase()}`;
}
