import type { APIGatewayRequestAuthorizerEventV2, APIGatewaySimpleAuthorizerWithContextResult } from 'aws-lambda';
import { FlError } from '../shared/core/errors.ts';
import { type Authorized, authorize } from '../shared/orchestrator/authorize.ts';
import type { IdentityPorts } from '../shared/orchestrator/ports.ts';
import { logger } from './logger.ts';

type Answer = APIGatewaySimpleAuthorizerWithContextResult<Authorized> | { readonly isAuthorized: false };

/**
 * An authorizer of the HTTP API, format 2.0 with simple responses: lets proved requests in. A stranger learns nothing of
 * why not; the operator reads it in the log, which never holds the proof itself.
 */
export function authorizer(ports: Pick<IdentityPorts, 'identities' | 'clock'>) {
  return async ({
    headers,
    rawPath,
    routeKey,
    requestContext: { domainName, http },
  }: APIGatewayRequestAuthorizerEventV2): Promise<Answer> => {
    try {
      const address = { method: http.method, host: domainName, path: rawPath };
      return { isAuthorized: true, context: await authorize(ports, headers?.authorization ?? '', address) };
    } catch (error) {
      // What passes is a fault of ours: API Gateway answers 500, and the client tries again.
      if (!(error instanceof FlError) || error.retry !== 'never') throw error;
      logger.warn('request refused', { code: error.code, detail: error.message, routeKey, sourceIp: http.sourceIp });
      return { isAuthorized: false };
    }
  };
}
