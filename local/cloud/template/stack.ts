import { FlError } from '../../../shared/core/errors.ts';
import { localAccount } from '../service.ts';
import type { Json, ResourceTemplate, StackTemplate } from './assembly.ts';
import { evaluate, evaluateCondition, type Scope } from './intrinsics.ts';
import type { Identity, Kind } from './kinds/kind.ts';
import { kinds } from './kinds/registry.ts';

/** One resource that the stack makes. */
export interface StackResource {
  readonly logicalId: string;
  readonly kind: Kind;
  readonly self: Identity;
  /** `Stack.LogicalId (Type)`, for errors. */
  readonly where: string;
  properties(): Json;
}

export interface Stack {
  readonly resources: readonly StackResource[];
  /** Outputs, as an account would give them. */
  outputs(): Record<string, string>;
  /** Values by export name. */
  exports(): Map<string, Json>;
}

/**
 * Reads one stack's template; names are made, nothing is evaluated yet.
 * @param imported finds what another stack exports
 * @throws {FlError} `template-unsupported` for a resource type that the local cloud does not know
 */
export function readStack({ stackName, template }: StackTemplate, imported: (name: string) => Json): Stack {
  const conditions = new Map<string, boolean | undefined>();
  const identities = new Map<string, Identity>();
  const byId = new Map<string, { readonly resource: ResourceTemplate; readonly kind: Kind }>();
  const scope: Scope = { ref, attribute, condition, mapping, exported: imported };
  const made = Object.entries(template.Resources).filter(
    ([, resource]) => resource.Condition === undefined || condition(resource.Condition),
  );
  for (const [id, resource] of made) byId.set(id, { resource, kind: kindOf(stackName, id, resource) });

  function ref(name: string): Json | undefined {
    if (name.startsWith('AWS::')) return pseudoParameter(name, stackName);
    if (byId.has(name)) return find(name).kind.ref(identity(name));
    const parameter = template.Parameters?.[name];
    // An SSM parameter's default is the parameter's name; the bootstrap version is the one that CDK asks for, and nothing reads it.
    if (parameter?.Default !== undefined) return parameter.Default;
    throw invalid(stackName, `Ref to "${name}", which the stack does not make`);
  }

  function attribute(logicalId: string, name: string): Json {
    const rule = find(logicalId).kind.attributes[name];
    if (!rule) {
      const { Type } = find(logicalId).resource;
      throw new FlError(
        'template-unsupported',
        `${stackName}.${logicalId} (${Type}): the local cloud does not know the attribute ${name}`,
      );
    }
    return rule(identity(logicalId));
  }

  function find(logicalId: string) {
    const found = byId.get(logicalId);
    if (!found) throw invalid(stackName, `"${logicalId}" is used, but the stack does not make it`);
    return found;
  }

  function identity(logicalId: string): Identity {
    const known = identities.get(logicalId);
    if (known) {
      if (known.name === '') throw invalid(`${stackName}.${logicalId}`, 'its name depends on itself');
      return known;
    }
    identities.set(logicalId, { stackName, logicalId, name: '' });
    const { kind, resource } = find(logicalId);
    const named = kind.nameProperty === undefined ? undefined : resource.Properties?.[kind.nameProperty];
    const name =
      named === undefined ? undefined : evaluate(named, scope, `${stackName}.${logicalId}.${kind.nameProperty}`);
    if (name !== undefined && (typeof name !== 'string' || name === '')) {
      throw invalid(`${stackName}.${logicalId}`, `${kind.nameProperty} is ${JSON.stringify(name)}`);
    }
    const self = { stackName, logicalId, name: name ?? kind.nameOf(stackName, logicalId) };
    identities.set(logicalId, self);
    return self;
  }

  function condition(name: string): boolean {
    if (conditions.has(name)) {
      const known = conditions.get(name);
      if (known === undefined) throw invalid(`${stackName}, condition ${name}`, 'it depends on itself');
      return known;
    }
    const expression = template.Conditions?.[name];
    if (expression === undefined) throw invalid(stackName, `no condition is named "${name}"`);
    conditions.set(name, undefined);
    const value = evaluateCondition(expression, scope, `${stackName}, condition ${name}`);
    conditions.set(name, value);
    return value;
  }

  function mapping(map: string, first: string, second: string): Json {
    const value = template.Mappings?.[map]?.[first]?.[second];
    if (value === undefined) throw invalid(stackName, `no mapping ${map}.${first}.${second}`);
    return value;
  }

  const outputs = Object.entries(template.Outputs ?? {})
    .filter(([, output]) => output.Condition === undefined || condition(output.Condition))
    .map(([id, output]) => ({ id, output, where: `${stackName}, output ${id}` }));

  return {
    resources: [...byId].map(([logicalId, { kind, resource }]) => {
      const where = `${stackName}.${logicalId} (${resource.Type})`;
      return {
        logicalId,
        kind,
        self: identity(logicalId),
        where,
        properties: () => evaluate(resource.Properties ?? {}, scope, where) ?? {},
      };
    }),
    outputs() {
      const values: Record<string, string> = {};
      for (const { id, output, where } of outputs) {
        const value = evaluate(output.Value, scope, where);
        if (value === undefined || value === null || typeof value === 'object') {
          throw invalid(where, 'is not a string');
        }
        values[id] = String(value);
      }
      return values;
    },
    exports() {
      const values = new Map<string, Json>();
      for (const { output, where } of outputs) {
        if (!output.Export) continue;
        const name = evaluate(output.Export.Name, scope, where);
        const value = evaluate(output.Value, scope, where);
        if (typeof name !== 'string' || value === undefined) throw invalid(where, 'exports nothing');
        values.set(name, value);
      }
      return values;
    },
  };
}

function kindOf(stackName: string, logicalId: string, { Type }: ResourceTemplate): Kind {
  const found = Object.hasOwn(kinds, Type) ? kinds[Type] : undefined;
  if (found) return found;
  const advice = /^(Custom::|AWS::CloudFormation::CustomResource)/.test(Type)
    ? ' (a custom resource runs code while the stack deploys, which a laptop cannot follow; set the property on the resource itself)'
    : '';
  throw new FlError(
    'template-unsupported',
    `${stackName}.${logicalId}: the local cloud does not know the resource type ${Type}${advice}`,
  );
}

function pseudoParameter(name: string, stackName: string): Json | undefined {
  const { accountId, partition, region } = localAccount;
  const values: Readonly<Record<string, Json | undefined>> = {
    'AWS::AccountId': accountId,
    'AWS::NoValue': undefined,
    'AWS::NotificationARNs': [],
    'AWS::Partition': partition,
    'AWS::Region': region,
    'AWS::StackId': `arn:${partition}:cloudformation:${region}:${accountId}:stack/${stackName}/local`,
    'AWS::StackName': stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  if (!Object.hasOwn(values, name)) throw invalid(stackName, `no pseudo-parameter is named ${name}`);
  return values[name];
}

function invalid(where: string, what: string): FlError {
  return new FlError('template-invalid', `${where}: ${what}`);
}
