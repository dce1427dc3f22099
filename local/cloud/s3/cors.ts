import type { IncomingHttpHeaders } from 'node:http';
import type { CorsRule } from './bucket-spec.ts';
import { headerOf } from './call.ts';
import { S3Error } from './errors.ts';

/**
 * Answers an OPTIONS request from the bucket's CORS rules.
 * @throws {S3Error} BadRequest without an origin and a method, AccessForbidden if no rule allows them
 */
export function preflight(rules: readonly CorsRule[], headers: IncomingHttpHeaders): Record<string, string> {
  const method = headerOf(headers, 'access-control-request-method');
  if (headers.origin === undefined || method === undefined) {
    throw new S3Error('BadRequest', 'Insufficient information. Origin and Access-Control-Request-Method are needed.');
  }
  const asked = (headerOf(headers, 'access-control-request-headers') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const rule = rules.find(
    (candidate) =>
      allows(candidate, headers.origin ?? '', method) &&
      asked.every((name) => (candidate.AllowedHeaders ?? []).some((pattern) => matches(pattern.toLowerCase(), name))),
  );
  if (!rule) {
    throw new S3Error(
      'AccessForbidden',
      'CORSResponse: This CORS request is not allowed. No rule of the bucket allows this Origin, method and headers.',
    );
  }
  return {
    ...answer(rule, headers.origin),
    ...(asked.length > 0 ? { 'access-control-allow-headers': asked.join(', ') } : {}),
    ...(rule.MaxAge === undefined ? {} : { 'access-control-max-age': String(rule.MaxAge) }),
  };
}

/** The headers that let a browser read the answer to an actual request; none if no rule fits. */
export function corsHeaders(
  rules: readonly CorsRule[],
  method: string,
  origin: string | undefined,
): Record<string, string> {
  if (origin === undefined) return {};
  const rule = rules.find((candidate) => allows(candidate, origin, method));
  return rule ? answer(rule, origin) : {};
}

function allows(rule: CorsRule, origin: string, method: string): boolean {
  return rule.AllowedMethods.includes(method) && rule.AllowedOrigins.some((pattern) => matches(pattern, origin));
}

function answer(rule: CorsRule, origin: string): Record<string, string> {
  const isOpen = rule.AllowedOrigins.includes('*');
  return {
    'access-control-allow-origin': isOpen ? '*' : origin,
    'access-control-allow-methods': rule.AllowedMethods.join(', '),
    ...(isOpen ? {} : { 'access-control-allow-credentials': 'true' }),
    ...(rule.ExposedHeaders ? { 'access-control-expose-headers': rule.ExposedHeaders.join(', ') } : {}),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** S3 allows one `*` in a pattern. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}
