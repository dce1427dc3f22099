import type { APIGatewayRequestAuthorizerEventV2, APIGatewaySimpleAuthorizerWithContextResult } from 'aws-lambda';
import { FlError } from '../shared/core/errors.ts';
import { type Authorized, authorize } from '../shared/orchestrator/authorize.ts';
import { awsPorts } from './aws/ports.ts';
import { logger } from './logger.ts';

const ports = awsPorts('identities', 'clock');

/** Lets proved requests in. A stranger learns nothing of why not; the operator reads it here, and never the proof itself. */
export async function handler({
  headers,
  rawPath,
  routeKey,
  requestContext: { domainName, http },
}: APIGatewayRequestAuthorizerEventV2): Promise<
  APIGatewaySimpleAuthorizerWithContextResult<Authorized> | { readonly isAuthorized: false }
> {
  try {
    const address = { method: http.method, host: domainName, path: rawPath };
    return { isAuthorized: true, context: await authorize(ports, headers?.authorization ?? '', address) };
  } catch (error) {
    if (!(error instanceof FlError) || error.retry !== 'never') throw error;
    logger.warn('request refused', { code: error.code, detail: error.message, routeKey, sourceIp: http.sourceIp });
    return { isAuthorized: false };
  }
}
