import { expect, test } from 'vitest';
import { corsHeaders, preflight } from '../../../local/cloud/s3/cors.ts';
import { S3Error } from '../../../local/cloud/s3/errors.ts';

const rules = [
  {
    AllowedMethods: ['PUT'],
    AllowedOrigins: ['https://*.example.org'],
    AllowedHeaders: ['x-amz-*', 'Content-Type'],
    ExposedHeaders: ['ETag'],
    MaxAge: 600,
  },
  { AllowedMethods: ['GET'], AllowedOrigins: ['*'] },
];

test('allows what a rule allows, for the origin that asked', () => {
  const headers = {
    origin: 'https://lab.example.org',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'content-type, X-Amz-Checksum-Sha256',
  };
  expect(preflight(rules, headers)).toMatchObject({
    'access-control-allow-origin': 'https://lab.example.org',
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'content-type, x-amz-checksum-sha256',
    'access-control-expose-headers': 'ETag',
    'access-control-max-age': '600',
  });
});

test('answers the open rule with a star', () => {
  expect(corsHeaders(rules, 'GET', 'http://anywhere')).toMatchObject({ 'access-control-allow-origin': '*' });
});

test.each([
  [{ origin: 'https://example.com', 'access-control-request-method': 'PUT' }, 'AccessForbidden'],
  [{ origin: 'https://a.example.org.evil', 'access-control-request-method': 'PUT' }, 'AccessForbidden'],
  [{ origin: 'https://a.example.org', 'access-control-request-method': 'DELETE' }, 'AccessForbidden'],
  [
    {
      origin: 'https://a.example.org',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'authorization',
    },
    'AccessForbidden',
  ],
  [{ 'access-control-request-method': 'PUT' }, 'BadRequest'],
  [{ origin: 'https://a.example.org' }, 'BadRequest'],
])('refuses %j', (headers, code) => {
  expect(() => preflight(rules, headers)).toThrow(
    expect.toSatisfy((error) => error instanceof S3Error && error.code === code),
  );
});

test('adds nothing without an origin or a rule for it', () => {
  expect(corsHeaders(rules, 'GET', undefined)).toEqual({});
  expect(corsHeaders(rules, 'DELETE', 'http://anywhere')).toEqual({});
});
