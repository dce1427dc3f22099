import { mostRequestsPerMinute } from '../../shared/orchestrator/authorize.ts';
import { proofWindowSeconds } from '../../shared/wire/identity/proof.ts';
import { problemStatuses } from '../../shared/wire/problem.ts';
import { callers, type RouteName, routes } from '../../shared/wire/routes.ts';
import { operations, pathParameters, queryParameters } from './operations.ts';
import { componentSchemas, inlineSchema, type Json, refTo } from './schemas.ts';

const statuses: Readonly<Record<string, number>> = { ...problemStatuses, internal: 500 };

const about = `Tributary: federated learning with no server to keep running.

Clients enrol with a one-time code, ask for a ticket, download the model from the URL that it names, train on their own data, declare their update and PUT it to S3. docs/write-a-client.md goes through it step by step. Operators declare tasks and invite clients.

Request bodies are JSON; a field that the API does not know is an error, and so is a name that an object has twice. Answers may come to say more: ignore what you do not know. Every error is a problem document (RFC 9457) with a stable \`code\`, except where API Gateway itself refuses: then it is \`{"message": …}\`. Repeat 429 and 5xx, after \`Retry-After\` where it is there and with jitter; what is said twice counts once. Repeat no other 4xx.`;

const proof = `\`Authorization: Tributary <JWS>\`: a compact JWS for this one request, signed with the client's Ed25519 key. Header \`{"alg":"Ed25519","typ":"tributary-proof+jwt","kid":KID}\`, \`KID\` the RFC 7638 thumbprint of the key. Claims: \`sub\` the client, \`htm\` the method, \`htu\` the URL without query, \`digest\` the SHA-256 of the body in base64url, \`iat\` seconds, at most ${proofWindowSeconds} from the server's clock, \`jti\` 16 random bytes in base64url, taken once. A proof that is not taken is answered with a bare 401 or 403; its \`Date\` lets a client correct its clock. A client may make ${mostRequestsPerMinute} requests a minute.`;

/** The HTTP API as an OpenAPI 3.1 document: every route of the template, made from the schemas that the functions use. */
export function openApi(): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const name of Object.keys(routes) as RouteName[]) {
    const [method, path] = routes[name].split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(name, path) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tributary',
      version: '1',
      description: about,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [
      {
        url: 'https://{api}.execute-api.{region}.amazonaws.com',
        description: "A deployed stack: its output `ApiUrl`. A local cloud's is printed by `npx tributary start`.",
        variables: { api: { default: 'ID' }, region: { default: 'eu-central-1' } },
      },
    ],
    tags: [
      { name: 'clients', description: 'Devices and silos, each with a key that signs its requests.' },
      { name: 'operators', description: 'Whoever holds AWS credentials that may invoke these routes.' },
    ],
    paths,
    components: {
      schemas: {
        ...componentSchemas(),
        Message: {
          type: 'object',
          properties: { message: { type: ['string', 'null'] } },
          required: ['message'],
          description: 'What API Gateway itself says.',
        },
      },
      securitySchemes: {
        proof: { type: 'http', scheme: 'Tributary', description: proof },
        iam: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'AWS Signature Version 4 for the service `execute-api`.',
          'x-amazon-apigateway-authtype': 'awsSigv4',
        },
      },
      headers: {
        RetryAfter: { description: 'Seconds to wait before the next try.', schema: { type: 'integer', minimum: 0 } },
      },
    },
  };
}

function operationOf(name: RouteName, path: string): Json {
  const { summary, description, request, bodyIsOptional, status, response } = operations[name];
  const caller = callers[name];
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => ({
      name: parameter,
      in: 'path',
      required: true,
      schema: inlineSchema(pathParameters[parameter]),
    })),
    ...Object.entries(queryParameters[name] ?? {}).map(([parameter, { schema, description }]) => ({
      name: parameter,
      in: 'query',
      description,
      schema: inlineSchema(schema),
    })),
  ];
  return {
    operationId: name,
    tags: [caller === 'operator' ? 'operators' : 'clients'],
    summary,
    ...(description && { description }),
    security: [caller === 'operator' ? { iam: [] } : { proof: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(request && {
      requestBody: { required: !bodyIsOptional, content: { 'application/json': { schema: refTo(request) } } },
    }),
    responses: {
      [status]: { description: 'Done.', content: { 'application/json': { schema: refTo(response) } } },
      ...refusals(name),
    },
  };
}

/** Codes that a route may answer with: its own, and those that come with who asks and what is sent. */
function problemsOf(name: RouteName): readonly string[] {
  return [
    ...operations[name].problems,
    'request-malformed',
    ...(callers[name] === 'client' ? ['proof-digest', 'client-too-fast'] : []),
    'busy',
    'internal',
  ];
}

function refusals(name: RouteName): Json {
  const codes = new Map<number, string[]>();
  for (const code of problemsOf(name)) {
    codes.set(statuses[code], [...(codes.get(statuses[code]) ?? []), code]);
  }
  // An authorizer in front of the function says no more; so does the stage's throttle.
  const bare = new Set([
    ...(callers[name] === 'client' ? [401] : []),
    ...(callers[name] === 'anyone' ? [] : [403]),
    429,
  ]);
  const all = [...new Set([...codes.keys(), ...bare])].sort((a, b) => a - b);
  return Object.fromEntries(all.map((status) => [status, refusal(status, codes.get(status) ?? [], bare.has(status))]));
}

function refusal(status: number, codes: readonly string[], isBare: boolean): Json {
  const retries = status === 429 || status === 503;
  return {
    description: codes.length > 0 ? `Problem: ${codes.join(', ')}.` : 'Refused by API Gateway.',
    ...(retries && { headers: { 'retry-after': { $ref: '#/components/headers/RetryAfter' } } }),
    content: {
      ...(codes.length > 0 && { 'application/problem+json': { schema: problemSchemaOf(status, codes) } }),
      ...(isBare && { 'application/json': { schema: refTo('Message') } }),
    },
  };
}

function problemSchemaOf(status: number, codes: readonly string[]): Json {
  return { ...refTo('Problem'), properties: { status: { const: status }, code: { enum: codes } } };
}
