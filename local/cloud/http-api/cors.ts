import type { IncomingHttpHeaders } from 'node:http';
import type { ApiCors } from '../template/plan.ts';

/**
 * The CORS headers of a reply: none if the origin is not allowed. A preflight also gets methods and headers.
 * "Configure CORS for HTTP APIs", API Gateway developer guide.
 */
export function corsHeaders(cors: ApiCors, request: IncomingHttpHeaders, preflight: boolean): Record<string, string> {
  const { origin } = request;
  if (origin === undefined || !allowed(cors.allowOrigins, origin)) return {};
  const headers: Record<string, string> = {
    'access-control-allow-origin': cors.allowOrigins.includes('*') && !cors.allowCredentials ? '*' : origin,
  };
  if (!cors.allowOrigins.includes('*')) headers.vary = 'origin';
  if (cors.allowCredentials) headers['access-control-allow-credentials'] = 'true';
  if (cors.exposeHeaders.length > 0) headers['access-control-expose-headers'] = cors.exposeHeaders.join(',');
  if (preflight) {
    headers['access-control-allow-methods'] = cors.allowMethods.join(',');
    headers['access-control-allow-headers'] = cors.allowHeaders.join(',');
    if (cors.maxAge !== undefined) headers['access-control-max-age'] = String(cors.maxAge);
  }
  return headers;
}

/** True for the question that a browser asks before the request itself. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

/** `*`, the origin itself, or a scheme with any host (`https://*`). */
function allowed(origins: readonly string[], origin: string): boolean {
  return origins.some(
    (rule) => rule === '*' || rule === origin || (rule.endsWith('://*') && origin.startsWith(rule.slice(0, -1))),
  );
}
