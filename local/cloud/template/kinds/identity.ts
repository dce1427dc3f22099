import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import type { PolicyDocument } from '../../iam/policy.ts';
import { localAccount } from '../../service.ts';
import { ignored, type Kind, kind, policyDocument, stableId, tags } from './kind.ts';

const roleArn = (name: string) => `arn:${localAccount.partition}:iam::${localAccount.accountId}:role/${name}`;
const managedPrefix = `arn:${localAccount.partition}:iam::aws:policy/`;

/** AWS's own policies that are known here, as the IAM reference prints them. */
const managedPolicies: Readonly<Record<string, PolicyDocument>> = {
  'service-role/AWSLambdaBasicExecutionRole': {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: '*',
      },
    ],
  },
};

const inlinePolicy = z.strictObject({ PolicyName: z.string(), PolicyDocument: policyDocument });

const role = kind({
  nameProperty: 'RoleName',
  attributes: { Arn: ({ name }) => roleArn(name), RoleId: ({ name }) => `AROA${stableId(name, 17).toUpperCase()}` },
  properties: z.strictObject({
    RoleName: z.string().optional(),
    AssumeRolePolicyDocument: policyDocument,
    Policies: z.array(inlinePolicy).optional(),
    ManagedPolicyArns: z.array(z.string()).optional(),
    Description: ignored,
    MaxSessionDuration: ignored,
    Path: z.literal('/').optional(),
    Tags: tags,
  }),
  add({ name, logicalId }, properties, draft, where) {
    const role = { name, arn: roleArn(name), logicalId, trustedServices: trusted(properties.AssumeRolePolicyDocument) };
    draft.role(role);
    for (const { PolicyDocument } of properties.Policies ?? []) draft.rolePolicy(name, PolicyDocument, where);
    for (const arn of properties.ManagedPolicyArns ?? []) {
      const known = arn.startsWith(managedPrefix) ? managedPolicies[arn.slice(managedPrefix.length)] : undefined;
      if (!known) {
        throw new FlError('template-unsupported', `${where}: the local cloud does not know the managed policy ${arn}`);
      }
      draft.rolePolicy(name, known, where);
    }
  },
});

const policy = kind({
  properties: z.strictObject({ PolicyName: z.string(), PolicyDocument: policyDocument, Roles: z.array(z.string()) }),
  add(_self, properties, draft, where) {
    for (const name of properties.Roles) draft.rolePolicy(name, properties.PolicyDocument, where);
  },
});

/** CDK moves statements to a managed policy of the stack's own when a role's inline ones grow too long. */
const managedPolicy = kind({
  nameProperty: 'ManagedPolicyName',
  ref: ({ name }) => `arn:${localAccount.partition}:iam::${localAccount.accountId}:policy/${name}`,
  properties: z.strictObject({
    ManagedPolicyName: z.string().optional(),
    PolicyDocument: policyDocument,
    Roles: z.array(z.string()),
    Description: ignored,
    Path: z.literal('/').optional(),
  }),
  add(_self, properties, draft, where) {
    for (const name of properties.Roles) draft.rolePolicy(name, properties.PolicyDocument, where);
  },
});

/** The services that a trust policy lets assume the role. */
function trusted(document: PolicyDocument): string[] {
  return [document.Statement].flat().flatMap(({ Effect, Action, Principal }) => {
    const assumes = [Action].flat().includes('sts:AssumeRole');
    if (Effect !== 'Allow' || !assumes || Principal === undefined || Principal === '*') return [];
    return [Principal.Service ?? []].flat();
  });
}

/** Roles and what they may do. */
export const identityKinds: Readonly<Record<string, Kind>> = {
  'AWS::IAM::Role': role,
  'AWS::IAM::Policy': policy,
  'AWS::IAM::ManagedPolicy': managedPolicy,
};
