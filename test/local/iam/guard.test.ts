import { describe, expect, it } from 'vitest';
import { createGuard } from '../../../local/cloud/iam/guard.ts';
import { AccessDenied } from '../../../local/cloud/service.ts';

const bucket = 'arn:aws:s3:::models';
const admit = {
  accessKeyId: 'AKIAADMIT',
  secretAccessKey: 'secret',
  name: 'function AdmitUpdate (role AdmitUpdateServiceRole)',
  policies: [{ Statement: { Effect: 'Allow' as const, Action: 's3:PutObject', Resource: `${bucket}/*` } }],
};
const cli = {
  accessKeyId: 'AKIACLI',
  secretAccessKey: 'other',
  name: 'command line',
  policies: [],
  administrator: true,
};

describe('guard', () => {
  it('gives the secret of a key that somebody holds', () => {
    const guard = createGuard({ principals: [admit, cli] });
    expect(guard.secretOf('AKIACLI')).toBe('other');
    expect(guard.secretOf('AKIANOBODY')).toBeUndefined();
  });

  it('names principal, action, resource and reason when it refuses', () => {
    const guard = createGuard({ principals: [admit] });
    guard.authorize('AKIAADMIT', 's3:PutObject', `${bucket}/a`);
    expect(() => guard.authorize('AKIAADMIT', 's3:GetObject', `${bucket}/a`)).toThrow(
      new AccessDenied(
        'function AdmitUpdate (role AdmitUpdateServiceRole)',
        's3:GetObject',
        'arn:aws:s3:::models/a',
        'no identity-based policy allows the s3:GetObject action',
      ),
    );
    expect(() => guard.authorize('AKIANOBODY', 's3:GetObject', `${bucket}/a`)).toThrow(AccessDenied);
  });

  it('applies a bucket policy to the bucket and its objects, also against an administrator', () => {
    const policy = {
      Effect: 'Deny' as const,
      Principal: '*' as const,
      Action: 's3:*',
      Resource: [bucket, `${bucket}/*`],
    };
    const guard = createGuard({ principals: [cli], resourcePolicies: { [bucket]: [{ Statement: policy }] } });
    expect(() => guard.authorize('AKIACLI', 's3:ListBucket', bucket)).toThrow(/explicitly denies/);
    expect(() => guard.authorize('AKIACLI', 's3:GetObject', `${bucket}/a`)).toThrow(/explicitly denies/);
    guard.authorize('AKIACLI', 's3:GetObject', 'arn:aws:s3:::models-2/a');
  });

  it('counts loopback as secure transport, so that enforceSSL does not lock the laptop out', () => {
    const enforceSsl = {
      Effect: 'Deny' as const,
      Principal: { AWS: '*' },
      Action: 's3:*',
      Resource: `${bucket}/*`,
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    };
    const guard = createGuard({ principals: [cli], resourcePolicies: { [bucket]: [{ Statement: enforceSsl }] } });
    guard.authorize('AKIACLI', 's3:GetObject', `${bucket}/a`);
  });

  it('lets S3 send to a queue only if the queue says so', () => {
    const queue = 'arn:aws:sqs:us-east-1:000000000000:updates';
    const statement = {
      Effect: 'Allow' as const,
      Principal: { Service: 's3.amazonaws.com' },
      Action: 'sqs:SendMessage',
      Resource: queue,
      Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::updates' } },
    };
    const open = createGuard({ principals: [], resourcePolicies: { [queue]: [{ Statement: [statement] }] } });
    const context = { 'aws:SourceArn': 'arn:aws:s3:::updates' };
    open.authorizeService('s3.amazonaws.com', 'sqs:SendMessage', queue, context);
    expect(() => open.authorizeService('s3.amazonaws.com', 'sqs:SendMessage', queue)).toThrow(AccessDenied);
    expect(() => open.authorizeService('events.amazonaws.com', 'sqs:SendMessage', queue, context)).toThrow(
      AccessDenied,
    );
    const closed = createGuard({ principals: [] });
    expect(() => closed.authorizeService('s3.amazonaws.com', 'sqs:SendMessage', queue, context)).toThrow(
      /s3\.amazonaws\.com is not authorized .* because no resource-based policy allows/,
    );
  });

  it('refuses two holders of one key and names the owner of a malformed policy', () => {
    expect(() => createGuard({ principals: [admit, admit] })).toThrow(/AKIAADMIT/);
    const broken = JSON.parse(
      '{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"::1"}}}]}',
    );
    expect(() => createGuard({ principals: [{ ...admit, policies: [broken] }] })).toThrow(
      /function AdmitUpdate .*statement 0.*IpAddress/,
    );
  });
});
