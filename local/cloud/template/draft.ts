import { FlError } from '../../../shared/core/errors.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import type {
  ApiPlan,
  AuthorizerPlan,
  BucketPlan,
  CloudPlan,
  FunctionPlan,
  MachinePlan,
  MappingPlan,
  PermissionPlan,
  RolePlan,
  RoutePlan,
  ServicePlan,
  SigningKeyPlan,
  StagePlan,
} from './plan.ts';

interface RouteDraft {
  readonly apiId: string;
  readonly routeKey: string;
  readonly integrationId: string;
  readonly authorization: 'NONE' | 'AWS_IAM' | { readonly authorizerId: string };
}

/** A plan in the making: resources come in any order, `finish` joins those that point at each other. */
export class Draft {
  readonly buckets: BucketPlan[] = [];
  readonly queues: ServicePlan[] = [];
  readonly tables: ServicePlan[] = [];
  readonly signingKeys: SigningKeyPlan[] = [];
  readonly functions: FunctionPlan[] = [];
  readonly mappings: MappingPlan[] = [];
  readonly permissions: PermissionPlan[] = [];
  readonly machines: MachinePlan[] = [];
  readonly apis: Omit<ApiPlan, 'routes' | 'stages'>[] = [];
  readonly integrations = new Map<string, { readonly functionArn: string; readonly timeoutMs: number }>();
  readonly authorizers = new Map<string, AuthorizerPlan & { readonly apiId: string }>();
  readonly routes: RouteDraft[] = [];
  readonly stages: (StagePlan & { readonly apiId: string })[] = [];
  readonly outputs: Record<string, string> = {};
  /** The folder of an asset by its object key. */
  readonly folderOf: (objectKey: string) => string;
  readonly #roles: Omit<RolePlan, 'policies'>[] = [];
  readonly #rolePolicies: { readonly roleName: string; readonly document: PolicyDocument; readonly where: string }[] =
    [];
  readonly #resourcePolicies: Record<string, PolicyDocument[]> = {};

  constructor(folderOf: (objectKey: string) => string) {
    this.folderOf = folderOf;
  }

  role(role: Omit<RolePlan, 'policies'>): void {
    this.#roles.push(role);
  }

  rolePolicy(roleName: string, document: PolicyDocument, where: string): void {
    this.#rolePolicies.push({ roleName, document, where });
  }

  resourcePolicy(arn: string, document: PolicyDocument): void {
    this.#resourcePolicies[arn] ??= [];
    this.#resourcePolicies[arn].push(document);
  }

  /** @throws {FlError} `template-invalid` for a pointer to nothing, or a role that its user may not assume */
  finish(): CloudPlan {
    this.#checkPointers();
    const { buckets, queues, tables, signingKeys, functions, mappings, permissions, machines, outputs } = this;
    const roles = this.#roles.map((role) => ({
      ...role,
      policies: this.#rolePolicies.filter(({ roleName }) => roleName === role.name).map(({ document }) => document),
    }));
    const resourcePolicies = this.#resourcePolicies;
    const apis = this.apis.map((api) => this.#api(api));
    return {
      buckets,
      queues,
      tables,
      signingKeys,
      functions,
      mappings,
      permissions,
      roles,
      resourcePolicies,
      machines,
      apis,
      outputs,
    };
  }

  #api(api: Omit<ApiPlan, 'routes' | 'stages'>): ApiPlan {
    const routes = this.routes
      .filter(({ apiId }) => apiId === api.id)
      .map(({ routeKey, integrationId, authorization }) => {
        const integration = this.integrations.get(integrationId);
        if (!integration) throw missing(`route ${routeKey} of ${api.logicalId}`, 'integration', integrationId);
        return { routeKey, authorization: this.#authorization(api, routeKey, authorization), ...integration };
      });
    const stages = this.stages
      .filter(({ apiId }) => apiId === api.id)
      .map(({ name, throttle, routeThrottles }) => ({ name, throttle, routeThrottles }));
    return { ...api, routes, stages };
  }

  #authorization(
    { id, logicalId }: Omit<ApiPlan, 'routes' | 'stages'>,
    routeKey: string,
    authorization: RouteDraft['authorization'],
  ): RoutePlan['authorization'] {
    if (typeof authorization === 'string') return authorization;
    const found = this.authorizers.get(authorization.authorizerId);
    if (found?.apiId !== id) {
      throw missing(`route ${routeKey} of ${logicalId}`, 'authorizer', authorization.authorizerId);
    }
    const { apiId: _, ...authorizer } = found;
    return authorizer;
  }

  #checkPointers(): void {
    const functionArns = new Set(this.functions.map(({ arn }) => arn));
    const queueArns = new Set(this.queues.map(({ arn }) => arn));
    const apiIds = new Set(this.apis.map(({ id }) => id));
    const roleNames = new Set(this.#roles.map(({ name }) => name));
    for (const { logicalId, roleArn } of this.functions) this.#checkTrust(logicalId, roleArn, 'lambda.amazonaws.com');
    for (const { name, roleArn } of this.machines) this.#checkTrust(name, roleArn, 'states.amazonaws.com');
    for (const { roleName, where } of this.#rolePolicies) {
      if (!roleNames.has(roleName)) throw missing(where, 'role', roleName);
    }
    for (const { name, notifications } of this.buckets) {
      for (const { queueArn } of notifications) {
        if (!queueArns.has(queueArn)) throw missing(`notifications of bucket ${name}`, 'queue', queueArn);
      }
    }
    for (const { logicalId, queueArn, functionArn } of this.mappings) {
      if (!queueArns.has(queueArn)) throw missing(logicalId, 'queue', queueArn);
      if (!functionArns.has(functionArn)) throw missing(logicalId, 'function', functionArn);
      this.#checkVisibility(logicalId, queueArn, functionArn);
    }
    for (const { functionArn } of [...this.permissions, ...this.integrations.values(), ...this.authorizers.values()]) {
      if (!functionArns.has(functionArn)) {
        throw missing('an integration, authorizer or permission', 'function', functionArn);
      }
    }
    for (const { apiId } of [...this.routes, ...this.stages, ...this.authorizers.values()]) {
      if (!apiIds.has(apiId)) throw missing('a route, stage or authorizer', 'API', apiId);
    }
  }

  /** Lambda refuses such an event source: a message would come back while its first invocation still runs. */
  #checkVisibility(logicalId: string, queueArn: string, functionArn: string): void {
    const queue = this.queues.find(({ arn }) => arn === queueArn);
    const fed = this.functions.find(({ arn }) => arn === functionArn);
    const visibilitySeconds = Number(queue?.properties.VisibilityTimeout ?? 30);
    if (fed && visibilitySeconds < fed.timeoutSeconds) {
      throw new FlError(
        'template-invalid',
        `${logicalId}: the queue's visibility timeout of ${visibilitySeconds} s is less than the function's timeout of ${fed.timeoutSeconds} s`,
      );
    }
  }

  #checkTrust(who: string, roleArn: string, service: string): void {
    const role = this.#roles.find(({ arn }) => arn === roleArn);
    if (!role) throw missing(who, 'role', roleArn);
    if (!role.trustedServices.includes(service)) {
      throw new FlError('template-invalid', `${who}: its role ${role.name} does not let ${service} assume it`);
    }
  }
}

function missing(where: string, what: string, name: string): FlError {
  return new FlError('template-invalid', `${where}: the template makes no ${what} ${name}`);
}
