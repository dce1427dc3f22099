import { existsSync, readFileSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { z } from 'zod';
import { FlError } from '../../../shared/core/errors.ts';

/** A JSON value, as a template holds it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One stack of the assembly; `template` is still full of intrinsic functions. */
export interface StackTemplate {
  readonly stackName: string;
  readonly template: Template;
}

/** What `cdk synth` wrote: stacks in the manifest's order, and where each asset lies on this disk. */
export interface Assembly {
  readonly stacks: readonly StackTemplate[];
  /** The folder behind an asset's object key; throws `assembly-invalid` if there is none. */
  folderOf(objectKey: string): string;
}

export type Template = z.infer<typeof templateSchema>;
export type ResourceTemplate = Template['Resources'][string];

const manifestSchema = z.looseObject({
  artifacts: z.record(
    z.string(),
    z.looseObject({ type: z.string(), properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});
const stackPropertiesSchema = z.looseObject({ templateFile: z.string(), stackName: z.string().optional() });
const assetManifestSchema = z.looseObject({
  files: z
    .record(
      z.string(),
      z.looseObject({
        source: z.looseObject({ path: z.string().optional(), packaging: z.string().optional() }),
        destinations: z.record(z.string(), z.looseObject({ objectKey: z.string() })),
      }),
    )
    .optional(),
});

const json: z.ZodType<Json> = z.json();

/** Rules are checks of parameters at deployment and Metadata is for tools: neither makes anything. */
const templateSchema = z.strictObject({
  AWSTemplateFormatVersion: z.string().optional(),
  Description: z.string().optional(),
  Metadata: json.optional(),
  Rules: json.optional(),
  Parameters: z.record(z.string(), z.looseObject({ Type: z.string(), Default: json.optional() })).optional(),
  Mappings: z.record(z.string(), z.record(z.string(), z.record(z.string(), json))).optional(),
  Conditions: z.record(z.string(), json).optional(),
  Resources: z.record(
    z.string(),
    z.strictObject({
      Type: z.string(),
      Properties: z.record(z.string(), json).optional(),
      Condition: z.string().optional(),
      DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
      Metadata: json.optional(),
      DeletionPolicy: z.string().optional(),
      UpdateReplacePolicy: z.string().optional(),
    }),
  ),
  Outputs: z
    .record(
      z.string(),
      z.strictObject({
        Value: json,
        Description: z.string().optional(),
        Export: z.strictObject({ Name: json }).optional(),
        Condition: z.string().optional(),
      }),
    )
    .optional(),
});

/** Artifacts of an assembly that make nothing in an account. */
const silentArtifacts = new Set(['cdk:tree', 'cdk:feature-flag-report', 'aws:cdk:metadata', 'cdk:asset-manifest']);

/** Reads the assembly in `folder` (a `cdk.out`). @throws {FlError} `assembly-invalid`, `template-unsupported` */
export function readAssembly(folder: string): Assembly {
  const manifest = readJson(folder, 'manifest.json', manifestSchema);
  const stacks: StackTemplate[] = [];
  const folders = new Map<string, string>();
  for (const [id, { type, properties }] of Object.entries(manifest.artifacts)) {
    if (type === 'aws:cloudformation:stack') {
      const stack = parseWith(stackPropertiesSchema, properties, `manifest.json, artifact "${id}"`);
      stacks.push({
        stackName: stack.stackName ?? id,
        template: readJson(folder, stack.templateFile, templateSchema),
      });
    } else if (type === 'cdk:asset-manifest') {
      const { file } = parseWith(z.looseObject({ file: z.string() }), properties, `manifest.json, artifact "${id}"`);
      for (const asset of Object.values(readJson(folder, file, assetManifestSchema).files ?? {})) {
        const { path, packaging } = asset.source;
        if (path === undefined || packaging !== 'zip') continue;
        for (const { objectKey } of Object.values(asset.destinations)) folders.set(objectKey, inside(folder, path));
      }
    } else if (!silentArtifacts.has(type)) {
      throw new FlError(
        'template-unsupported',
        `manifest.json, artifact "${id}": the local cloud does not know the artifact type ${type}`,
      );
    }
  }
  if (stacks.length === 0) throw new FlError('assembly-invalid', 'manifest.json names no stack');
  return {
    stacks,
    folderOf(objectKey) {
      const found = folders.get(objectKey);
      if (found === undefined) throw new FlError('assembly-invalid', `no folder asset has the object key ${objectKey}`);
      if (!existsSync(found)) throw new FlError('assembly-invalid', `the asset folder ${found} is not there`);
      return found;
    },
  };
}

/** Parses with `schema`; the error names `where` and each offending path. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, where: string, code = 'assembly-invalid'): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => {
    const path = issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
    return `${path}${issue.message}`;
  });
  throw new FlError(code, `${where}: ${issues.join('; ')}`);
}

function readJson<T>(folder: string, file: string, schema: z.ZodType<T>): T {
  const path = inside(folder, file);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const advice = existsSync(path) ? 'it is not JSON' : 'it is not there; run the synthesis first';
    throw new FlError('assembly-invalid', `cannot read ${file} of the assembly: ${advice}`, { cause });
  }
  return parseWith(schema, value, file);
}

/** An assembly speaks only of what lies inside it: a path that leaves the folder is refused. */
function inside(folder: string, path: string): string {
  const root = resolve(folder);
  const full = resolve(root, path);
  if (!full.startsWith(root + sep)) {
    throw new FlError('assembly-invalid', `${JSON.stringify(path)} lies outside the assembly`);
  }
  return full;
}
