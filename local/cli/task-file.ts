import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { type TaskConfigInput, taskConfigSchema } from '../../shared/wire/task-config.ts';
import { UsageError } from './console.ts';
import { type ModelSpec, modelSpecSchema } from './model-spec.ts';

/** What `task create` reads: a task's configuration, its model and, where it has one, its evaluation set. */
export interface TaskFile {
  readonly config: TaskConfigInput;
  readonly model: ModelSpec;
  /** Path of a safetensors file with `x` and `y`. */
  readonly heldOut: string | undefined;
}

const maxFileBytes = 1024 * 1024;
const fieldsSchema = z.looseObject({ model: modelSpecSchema, heldOut: z.string().min(1).optional() });

/** Reads YAML or JSON; paths in it are relative to the file. @throws {UsageError} naming every field that is wrong */
export async function readTaskFile(path: string): Promise<TaskFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (text.length > maxFileBytes) throw new UsageError(`${path}: ${text.length} characters, expected at most 1 MiB`);
  const { config, model, heldOut } = parseTaskFile(text, path);
  const beside = (file: string) => resolve(dirname(path), file);
  return {
    config,
    model: 'onnx' in model ? { onnx: beside(model.onnx) } : model,
    heldOut: heldOut === undefined ? undefined : beside(heldOut),
  };
}

/** @throws {UsageError} naming every field that is wrong */
export function parseTaskFile(text: string, name: string): TaskFile {
  let content: unknown;
  try {
    content = parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new UsageError(`${name}: not YAML or JSON: ${why}`, { cause });
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new UsageError(`${name}: expected fields such as "task:" and "model:"`);
  }
  const { model: _model, heldOut: _heldOut, ...config } = content as Record<string, unknown>;
  const fields = fieldsSchema.safeParse(content);
  const checked = taskConfigSchema.safeParse(config);
  const issues = [...(checked.error?.issues ?? []), ...(fields.error?.issues ?? [])];
  if (!fields.success || !checked.success) throw new UsageError(`${name}: ${issues.map(issueText).join('; ')}`);
  return { config: checked.data, model: fields.data.model, heldOut: fields.data.heldOut };
}

function issueText({ path, message, code, ...issue }: z.core.$ZodIssue): string {
  const at = path.length > 0 ? `${path.join('.')}: ` : '';
  // A union reports each of its branches; the one that got furthest says what is wrong.
  if (code === 'invalid_union' && 'errors' in issue) {
    const branches = issue.errors as z.core.$ZodIssue[][];
    const closest = branches.toSorted((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0))[0] ?? [];
    if (closest.length > 0) return `${at}${closest.map(issueText).join('; ')}`;
  }
  return `${at}${message}`;
}
