import { z } from 'zod';
import { FlError } from '../../../../shared/core/errors.ts';
import type { Json } from '../assembly.ts';
import { isArray, isRecord } from '../intrinsics.ts';
import { arn, generatedName, ignored, type Kind, kind, tags } from './kind.ts';

const functionArn = (name: string) => arn('lambda', `function:${name}`);
const nameOfFunction = (nameOrArn: string) => nameOrArn.split(':function:').at(-1) ?? nameOrArn;

/** Lambda's own limits (the service's quotas page): 15 minutes, 10,240 MB. */
const lambdaFunction = kind({
  nameProperty: 'FunctionName',
  attributes: { Arn: ({ name }) => functionArn(name) },
  properties: z.strictObject({
    FunctionName: z.string().optional(),
    Description: ignored,
    Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
    Handler: z.string().regex(/^[\w./-]+\.\w+$/),
    Runtime: z.string().regex(/^nodejs\d+\.x$/, 'only Node.js functions run here'),
    Role: z.string(),
    Architectures: z.tuple([z.enum(['arm64', 'x86_64'])]).optional(),
    Environment: z
      .strictObject({ Variables: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional() })
      .optional(),
    MemorySize: z.int().min(128).max(10_240).optional(),
    Timeout: z.int().min(1).max(900).optional(),
    ReservedConcurrentExecutions: z.int().min(1).optional(),
    // Every function logs to a file of its own, whatever the group or format; the local disk is not limited.
    LoggingConfig: ignored,
    EphemeralStorage: ignored,
    // There are no traces here, and one version of Node.
    TracingConfig: ignored,
    RuntimeManagementConfig: ignored,
    Tags: tags,
  }),
  add({ logicalId, name }, properties, draft) {
    const environment: Record<string, string> = {};
    for (const [key, value] of Object.entries(properties.Environment?.Variables ?? {})) environment[key] = `${value}`;
    draft.functions.push({
      logicalId,
      name,
      arn: functionArn(name),
      roleArn: properties.Role,
      folder: draft.folderOf(properties.Code.S3Key),
      handler: properties.Handler,
      environment,
      timeoutSeconds: properties.Timeout ?? 3,
      memoryMb: properties.MemorySize ?? 128,
      architecture: properties.Architectures?.[0] ?? 'x86_64',
      reservedConcurrency: properties.ReservedConcurrentExecutions,
    });
  },
});

const eventSourceMapping = kind({
  properties: z.strictObject({
    EventSourceArn: z.string().regex(/^arn:[^:]*:sqs:/, 'only queues are event sources here'),
    FunctionName: z.string(),
    BatchSize: z.int().min(1).max(10_000).optional(),
    MaximumBatchingWindowInSeconds: z.int().min(0).max(300).optional(),
    ScalingConfig: z.strictObject({ MaximumConcurrency: z.int().min(2).max(1000) }).optional(),
    FunctionResponseTypes: z.array(z.literal('ReportBatchItemFailures')).optional(),
    Enabled: z.literal(true).optional(),
    Tags: tags,
  }),
  add({ logicalId }, properties, draft, where) {
    const batchSize = properties.BatchSize ?? 10;
    const batchingWindowSeconds = properties.MaximumBatchingWindowInSeconds ?? 0;
    if (batchSize > 10 && batchingWindowSeconds < 1) {
      throw new FlError('template-invalid', `${where}: BatchSize over 10 wants MaximumBatchingWindowInSeconds >= 1`);
    }
    draft.mappings.push({
      logicalId,
      queueArn: properties.EventSourceArn,
      functionArn: functionArn(nameOfFunction(properties.FunctionName)),
      batchSize,
      batchingWindowSeconds,
      maximumConcurrency: properties.ScalingConfig?.MaximumConcurrency,
      reportsItemFailures: properties.FunctionResponseTypes !== undefined,
    });
  },
});

const permission = kind({
  properties: z.strictObject({
    Action: z.literal('lambda:InvokeFunction'),
    FunctionName: z.string(),
    Principal: z.string(),
    SourceArn: z.string().optional(),
    SourceAccount: z.string().optional(),
  }),
  add(_self, properties, draft) {
    draft.permissions.push({
      functionArn: functionArn(nameOfFunction(properties.FunctionName)),
      principal: properties.Principal,
      sourceArn: properties.SourceArn,
    });
  },
});

const machineArn = (name: string) => arn('states', `stateMachine:${name}`);

const stateMachine = kind({
  nameProperty: 'StateMachineName',
  nameOf: (stackName, logicalId) => generatedName(stackName, logicalId, 80),
  ref: ({ name }) => machineArn(name),
  attributes: { Arn: ({ name }) => machineArn(name), Name: ({ name }) => name },
  properties: z.strictObject({
    StateMachineName: z.string().optional(),
    StateMachineType: z.enum(['STANDARD', 'EXPRESS']).optional(),
    DefinitionString: z.string().optional(),
    Definition: z.record(z.string(), z.json()).optional(),
    DefinitionSubstitutions: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    RoleArn: z.string(),
    // Histories stay with the local service; traces and encryption have no local counterpart.
    LoggingConfiguration: ignored,
    TracingConfiguration: ignored,
    EncryptionConfiguration: ignored,
    Tags: tags,
  }),
  add({ name }, properties, draft, where) {
    draft.machines.push({
      name,
      arn: machineArn(name),
      type: properties.StateMachineType ?? 'STANDARD',
      definition: definitionOf(properties, where),
      roleArn: properties.RoleArn,
    });
  },
});

interface DefinitionSource {
  readonly DefinitionString?: string;
  readonly Definition?: Json;
  readonly DefinitionSubstitutions?: Readonly<Record<string, string | number | boolean>>;
}

/** CloudFormation replaces `${name}` by plain text, in the string form before it is parsed. */
function definitionOf({ DefinitionString, Definition, DefinitionSubstitutions = {} }: DefinitionSource, where: string) {
  const fill = (text: string) =>
    text.replaceAll(/\$\{([^}]*)\}/g, (whole, name: string) =>
      Object.hasOwn(DefinitionSubstitutions, name) ? `${DefinitionSubstitutions[name]}` : whole,
    );
  if ((DefinitionString === undefined) === (Definition === undefined)) {
    throw new FlError('template-invalid', `${where}: wants either DefinitionString or Definition`);
  }
  if (DefinitionString === undefined) return mapStrings(Definition ?? null, fill);
  try {
    const parsed: Json = JSON.parse(fill(DefinitionString));
    return parsed;
  } catch (cause) {
    throw new FlError('template-invalid', `${where}: DefinitionString is not JSON`, { cause });
  }
}

/** The same JSON with every string replaced. */
export function mapStrings(value: Json, map: (text: string) => string): Json {
  if (typeof value === 'string') return map(value);
  if (isArray(value)) return value.map((item) => mapStrings(item, map));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, map)]));
}

/** Functions, what feeds them, and state machines. */
export const computeKinds: Readonly<Record<string, Kind>> = {
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::EventSourceMapping': eventSourceMapping,
  'AWS::Lambda::Permission': permission,
  'AWS::StepFunctions::StateMachine': stateMachine,
};
