import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import { localAccount } from '../../service.ts';
import { ignored, type Kind, kind, stableId, tags } from './kind.ts';

/** The URL that an account would give the API. */
export const apiEndpointOf = (apiId: string) => `https://${apiId}.execute-api.${localAccount.region}.amazonaws.com`;

const tenLetters = (stackName: string, logicalId: string) => stableId(`${stackName}/${logicalId}`, 10);

const api = kind({
  nameOf: tenLetters,
  attributes: { ApiId: ({ name }) => name, ApiEndpoint: ({ name }) => apiEndpointOf(name) },
  properties: z.strictObject({
    Name: z.string(),
    ProtocolType: z.literal('HTTP'),
    CorsConfiguration: z
      .strictObject({
        AllowOrigins: z.array(z.string()).optional(),
        AllowMethods: z.array(z.string()).optional(),
        AllowHeaders: z.array(z.string()).optional(),
        ExposeHeaders: z.array(z.string()).optional(),
        MaxAge: z.number().optional(),
        AllowCredentials: z.boolean().optional(),
      })
      .optional(),
    Description: ignored,
    IpAddressType: ignored,
    // The URL is not ours to disable: a local API has no other domain name.
    DisableExecuteApiEndpoint: z.literal(false).optional(),
    Tags: tags,
  }),
  add({ name: id, logicalId }, { Name, CorsConfiguration: cors }, draft) {
    draft.apis.push({
      id,
      name: Name,
      logicalId,
      cors: cors && {
        allowOrigins: cors.AllowOrigins ?? [],
        allowMethods: cors.AllowMethods ?? [],
        allowHeaders: cors.AllowHeaders ?? [],
        exposeHeaders: cors.ExposeHeaders ?? [],
        maxAge: cors.MaxAge,
        allowCredentials: cors.AllowCredentials ?? false,
      },
    });
  },
});

const integration = kind({
  nameOf: tenLetters,
  properties: z.strictObject({
    ApiId: z.string(),
    IntegrationType: z.literal('AWS_PROXY'),
    IntegrationUri: z.string(),
    IntegrationMethod: z.literal('POST').optional(),
    PayloadFormatVersion: z.literal('2.0'),
    TimeoutInMillis: z.int().min(50).max(30_000).optional(),
    ConnectionType: z.literal('INTERNET').optional(),
    Description: ignored,
  }),
  add({ name }, properties, draft, where) {
    const functionArn = functionOf(properties.IntegrationUri, `${where}: IntegrationUri`);
    draft.integrations.set(name, { functionArn, timeoutMs: properties.TimeoutInMillis ?? 30_000 });
  },
});

/** Either a function's ARN, or arn:...:apigateway:...:functions/<that ARN>/invocations. */
function functionOf(uri: string, where: string): string {
  const [functionArn] = /arn:[^:/]*:lambda:[^/]*?:function:[\w-]+/.exec(uri) ?? [];
  if (!functionArn) throw new FlError('template-unsupported', `${where} ${uri} is no function`);
  return functionArn;
}

const authorizer = kind({
  nameOf: tenLetters,
  attributes: { AuthorizerId: ({ name }) => name },
  properties: z.strictObject({
    ApiId: z.string(),
    Name: z.string(),
    AuthorizerType: z.literal('REQUEST'),
    AuthorizerUri: z.string(),
    AuthorizerPayloadFormatVersion: z.literal('2.0'),
    EnableSimpleResponses: z.literal(true),
    AuthorizerResultTtlInSeconds: z.literal(0, 'the local cloud keeps no answers of authorizers'),
    IdentitySource: z
      .array(z.string().regex(/^\$request\.header\.[\w-]+$/, 'only headers are identity sources here'))
      .optional(),
  }),
  add({ name: id }, properties, draft, where) {
    draft.authorizers.set(id, {
      id,
      apiId: properties.ApiId,
      functionArn: functionOf(properties.AuthorizerUri, `${where}: AuthorizerUri`),
      identityHeaders: (properties.IdentitySource ?? []).map((source) =>
        source.slice('$request.header.'.length).toLowerCase(),
      ),
    });
  },
});

const route = kind({
  nameOf: tenLetters,
  properties: z.strictObject({
    ApiId: z.string(),
    RouteKey: z.string().regex(/^(\$default|(ANY|GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE) \/\S*)$/),
    Target: z.string().regex(/^integrations\//),
    AuthorizationType: z.enum(['NONE', 'AWS_IAM', 'CUSTOM']).optional(),
    AuthorizerId: z.string().optional(),
    ApiKeyRequired: z.literal(false).optional(),
    OperationName: ignored,
  }),
  add(_self, properties, draft, where) {
    const { AuthorizationType: type = 'NONE', AuthorizerId: authorizerId } = properties;
    if ((type === 'CUSTOM') !== (authorizerId !== undefined)) {
      throw new FlError('template-invalid', `${where}: an AuthorizerId goes with AuthorizationType CUSTOM`);
    }
    draft.routes.push({
      apiId: properties.ApiId,
      routeKey: properties.RouteKey,
      integrationId: properties.Target.slice('integrations/'.length),
      authorization: type === 'CUSTOM' ? { authorizerId: authorizerId ?? '' } : type,
    });
  },
});

const routeSettings = z.strictObject({
  ThrottlingBurstLimit: z.number().optional(),
  ThrottlingRateLimit: z.number().optional(),
  DetailedMetricsEnabled: ignored,
});

/** The account's default where a stage sets only one of the two limits: 10,000 a second, burst 5,000. */
function throttleOf({ ThrottlingBurstLimit, ThrottlingRateLimit }: z.infer<typeof routeSettings>) {
  if (ThrottlingBurstLimit === undefined && ThrottlingRateLimit === undefined) return undefined;
  return { rate: ThrottlingRateLimit ?? 10_000, burst: ThrottlingBurstLimit ?? 5_000 };
}

const stage = kind({
  nameProperty: 'StageName',
  properties: z.strictObject({
    ApiId: z.string(),
    StageName: z.string(),
    AutoDeploy: z.literal(true),
    DefaultRouteSettings: routeSettings.optional(),
    RouteSettings: z.record(z.string(), routeSettings).optional(),
    Description: ignored,
    // The local cloud logs every function; it keeps no access log.
    AccessLogSettings: ignored,
    Tags: tags,
  }),
  add(_self, properties, draft) {
    const routeThrottles: Record<string, { rate: number; burst: number }> = {};
    for (const [routeKey, settings] of Object.entries(properties.RouteSettings ?? {})) {
      const throttle = throttleOf(settings);
      if (throttle) routeThrottles[routeKey] = throttle;
    }
    draft.stages.push({
      apiId: properties.ApiId,
      name: properties.StageName,
      throttle: throttleOf(properties.DefaultRouteSettings ?? {}),
      routeThrottles,
    });
  },
});

/** HTTP APIs, payload format 2.0. */
export const httpApiKinds: Readonly<Record<string, Kind>> = {
  'AWS::ApiGatewayV2::Api': api,
  'AWS::ApiGatewayV2::Authorizer': authorizer,
  'AWS::ApiGatewayV2::Integration': integration,
  'AWS::ApiGatewayV2::Route': route,
  'AWS::ApiGatewayV2::Stage': stage,
};
