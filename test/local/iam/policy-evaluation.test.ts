import { describe, expect, it } from 'vitest';
import { type Caller, evaluatePolicies } from '../../../local/cloud/iam/evaluate.ts';
import type { PolicyDocument } from '../../../local/cloud/iam/policy.ts';
import type { RequestContext } from '../../../local/cloud/service.ts';

const role: Caller = { type: 'role', arn: 'arn:aws:iam::000000000000:role/Admit' };
const queue = 'arn:aws:sqs:us-east-1:000000000000:updates';
const object = 'arn:aws:s3:::models/task/v1';

const allow = (statement: object): PolicyDocument => document({ Effect: 'Allow', ...statement });
const deny = (statement: object): PolicyDocument => document({ Effect: 'Deny', ...statement });

function document(statement: object): PolicyDocument {
  return JSON.parse(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
}

/** Judges `s3:GetObject` on one object. */
function judge(identity: PolicyDocument[], resource: PolicyDocument[] = [], context: RequestContext = {}) {
  return evaluatePolicies({
    identity,
    resource,
    principal: role,
    call: { action: 's3:GetObject', resource: object, context },
  });
}

describe('policy evaluation within one account', () => {
  const readAll = allow({ Action: 's3:GetObject', Resource: '*' });
  const readGranted = allow({ Principal: { AWS: role.arn }, Action: 's3:GetObject', Resource: object });

  it('denies what nobody allows, in the words of AWS', () => {
    expect(judge([])).toEqual({
      allowed: false,
      why: 'no identity-based policy allows the s3:GetObject action',
    });
  });

  it('allows by the identity alone or by the resource alone', () => {
    expect(judge([readAll]).allowed).toBe(true);
    expect(judge([], [readGranted]).allowed).toBe(true);
  });

  it('lets an explicit deny on either side win', () => {
    const denial = deny({ Sid: 'NoReads', Action: 's3:*', Resource: '*' });
    expect(judge([readAll, denial])).toEqual({
      allowed: false,
      why: 'an identity-based policy explicitly denies (statement "NoReads") the s3:GetObject action',
    });
    const bucketDenial = deny({ Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::models/*' });
    expect(judge([readAll], [bucketDenial])).toEqual({
      allowed: false,
      why: 'a resource-based policy explicitly denies the s3:GetObject action',
    });
  });

  it.each([
    { statement: { Action: 'S3:getobject', Resource: object }, allowed: true }, // actions ignore case
    { statement: { Action: 's3:Get*', Resource: 'arn:aws:s3:::models/*' }, allowed: true },
    { statement: { Action: 's3:Get??ject', Resource: 'arn:aws:s3:::models/task/v?' }, allowed: true },
    { statement: { Action: 's3:Get?ject', Resource: object }, allowed: false },
    { statement: { Action: ['sqs:*', 's3:GetObject'], Resource: [queue, object] }, allowed: true },
    { statement: { Action: 's3:GetObject', Resource: 'arn:aws:s3:::models' }, allowed: false }, // the bucket is not the object
    { statement: { Action: 's3:GetObject', Resource: 'arn:aws:s3:::MODELS/*' }, allowed: false }, // resources do not
    { statement: { Action: 's3:GetObjectTagging', Resource: '*' }, allowed: false },
    { statement: { NotAction: 's3:Put*', Resource: '*' }, allowed: true },
    { statement: { NotAction: 's3:Get*', Resource: '*' }, allowed: false },
    { statement: { Action: '*', NotResource: 'arn:aws:s3:::models/*' }, allowed: false },
    { statement: { Action: '*', NotResource: 'arn:aws:s3:::updates/*' }, allowed: true },
  ])('judges $statement as allowed: $allowed', ({ statement, allowed }) => {
    expect(judge([allow(statement)]).allowed).toBe(allowed);
  });

  it.each([
    { principal: '*', allowed: true },
    { principal: { AWS: '*' }, allowed: true },
    {
      principal: { AWS: ['arn:aws:iam::000000000000:role/Other', 'arn:aws:iam::000000000000:role/Admit'] },
      allowed: true,
    },
    { principal: { AWS: 'arn:aws:iam::000000000000:role/Other' }, allowed: false },
    { principal: { Service: 's3.amazonaws.com' }, allowed: false },
    // Naming the account delegates to its identity policies, and there is none here.
    { principal: { AWS: 'arn:aws:iam::000000000000:root' }, allowed: false },
  ])('matches principal $principal of a resource policy: $allowed', ({ principal, allowed }) => {
    expect(judge([], [allow({ Principal: principal, Action: 's3:GetObject', Resource: object })]).allowed).toBe(
      allowed,
    );
  });

  it('applies a denial that names the account to all its roles', () => {
    const denial = deny({ Principal: { AWS: '000000000000' }, Action: 's3:*', Resource: '*' });
    expect(judge([readAll], [denial]).allowed).toBe(false);
  });

  it('judges a service by the resource policy alone', () => {
    const call = { action: 'sqs:SendMessage', resource: queue, context: { 'aws:SourceArn': 'arn:aws:s3:::updates' } };
    const principal: Caller = { type: 'service', service: 's3.amazonaws.com' };
    const sendFromBucket = allow({
      Principal: { Service: 's3.amazonaws.com' },
      Action: ['sqs:SendMessage', 'sqs:GetQueueUrl'],
      Resource: queue,
      Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::updates' } },
    });
    const identity = [allow({ Action: '*', Resource: '*' })];
    expect(evaluatePolicies({ identity, principal, call })).toEqual({
      allowed: false,
      why: 'no resource-based policy allows the sqs:SendMessage action',
    });
    expect(evaluatePolicies({ identity: [], resource: [sendFromBucket], principal, call }).allowed).toBe(true);
    const fromElsewhere = { ...call, context: { 'aws:SourceArn': 'arn:aws:s3:::models' } };
    const verdict = evaluatePolicies({ identity: [], resource: [sendFromBucket], principal, call: fromElsewhere });
    expect(verdict.allowed).toBe(false);
  });
});

describe('conditions', () => {
  const single = { 's3:prefix': 'task/v1' };
  const several = { 'dynamodb:LeadingKeys': ['a', 'b'] };
  it.each<{ condition: object; context: RequestContext; allowed: boolean }>([
    { condition: { StringEquals: { 's3:prefix': ['x', 'task/v1'] } }, context: single, allowed: true },
    { condition: { StringEquals: { 'S3:Prefix': 'task/v1' } }, context: single, allowed: true }, // keys ignore case
    { condition: { StringEquals: { 's3:prefix': 'Task/v1' } }, context: single, allowed: false },
    { condition: { StringEquals: { 's3:prefix': 'task/*' } }, context: single, allowed: false },
    { condition: { StringLike: { 's3:prefix': 'task/*' } }, context: single, allowed: true },
    { condition: { StringNotEquals: { 's3:prefix': ['x', 'task/v1'] } }, context: single, allowed: false }, // none of them
    { condition: { StringNotEquals: { 's3:prefix': 'x' } }, context: {}, allowed: true }, // negated and absent
    { condition: { StringEquals: { 's3:prefix': 'x' } }, context: {}, allowed: false },
    { condition: { StringEqualsIfExists: { 's3:prefix': 'x' } }, context: {}, allowed: true },
    { condition: { StringEqualsIfExists: { 's3:prefix': 'x' } }, context: single, allowed: false },
    { condition: { ArnEquals: { k: 'arn:aws:s3:::up*' } }, context: { k: 'arn:aws:s3:::updates' }, allowed: true },
    // A star of an ARN operator does not run over a colon.
    { condition: { ArnLike: { k: 'arn:*:updates' } }, context: { k: 'arn:aws:s3:::updates' }, allowed: false },
    {
      condition: { Bool: { 'aws:SecureTransport': false } },
      context: { 'aws:SecureTransport': 'false' },
      allowed: true,
    },
    {
      condition: { Bool: { 'aws:SecureTransport': 'false' } },
      context: { 'aws:SecureTransport': 'true' },
      allowed: false,
    },
    { condition: { Null: { 's3:prefix': 'true' } }, context: {}, allowed: true },
    { condition: { Null: { 's3:prefix': 'true' } }, context: single, allowed: false },
    {
      condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['a', 'b', 'c'] } },
      context: several,
      allowed: true,
    },
    { condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': 'a' } }, context: several, allowed: false },
    { condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': 'a' } }, context: {}, allowed: true }, // vacuous
    { condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': 'a' } }, context: several, allowed: true },
    { condition: { 'ForAnyValue:StringEquals': { 'dynamodb:LeadingKeys': 'a' } }, context: {}, allowed: false },
    { condition: { StringEquals: { a: '1', b: '2' } }, context: { a: '1', b: '3' }, allowed: false }, // all keys
    { condition: { StringEquals: { a: '1' }, StringLike: { b: '2*' } }, context: { a: '1', b: '22' }, allowed: true },
  ])('$condition with $context gives $allowed', ({ condition, context, allowed }) => {
    expect(judge([allow({ Action: '*', Resource: '*', Condition: condition })], [], context).allowed).toBe(allowed);
  });
});

describe('policies that cannot be judged', () => {
  it.each<{ statement: object; message: RegExp }>([
    {
      statement: { Action: '*', Resource: '*', Condition: { DateGreaterThan: { k: '2026' } } },
      message: /DateGreaterThan/,
    },
    {
      statement: { Action: '*', Resource: '*', Condition: { 'ForSome:Bool': { k: 'true' } } },
      message: /ForSome:Bool/,
    },
    { statement: { Action: '*', Resource: '*', Condition: { constructor: { k: '1' } } }, message: /constructor/ },
    { statement: { Resource: '*' }, message: /neither Action nor NotAction/ },
    { statement: { Action: '*', NotAction: 's3:*', Resource: '*' }, message: /both Action and NotAction/ },
    { statement: { Action: '*' }, message: /neither Resource nor NotResource/ },
    { statement: { Action: 'GetObject', Resource: '*' }, message: /"GetObject" is not of the form/ },
    { statement: { Action: '*', Resource: 'models/*' }, message: /"models\/\*" is not an ARN/ },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
    { statement: { Action: '*', Resource: 'arn:aws:s3:::${aws:username}' }, message: /policy variable/ },
    { statement: { Action: '*', Resource: '*', Principal: '*' }, message: /no Principal/ },
    { statement: { Action: '*', Resource: '*', NotPrincipal: '*' }, message: /NotPrincipal/ },
    { statement: { Action: '*', Resource: { Ref: 'Bucket' } }, message: /Resource/ },
    { statement: { Action: [], Resource: '*' }, message: /Action/ },
  ])('refuses $statement', ({ statement, message }) => {
    expect(() => judge([allow(statement)])).toThrow(message);
  });

  it('refuses an unknown effect and a policy without statements', () => {
    expect(() => judge([document({ Effect: 'Permit', Action: '*', Resource: '*' })])).toThrow(/Effect/);
    expect(() => judge([JSON.parse('{}')])).toThrow(/Statement/);
  });

  it('judges a pattern made of stars without backtracking forever', () => {
    const Resource = `arn:aws:s3:::${'*a'.repeat(2000)}b`;
    const call = { action: 's3:GetObject', resource: `arn:aws:s3:::${'a'.repeat(4000)}` };
    const identity = [allow({ Action: '*', Resource })];
    expect(evaluatePolicies({ identity, principal: role, call }).allowed).toBe(false);
  });
});
