import { FlError } from '../../../shared/core/errors.ts';
import type { Json, StackTemplate } from './assembly.ts';
import { isArray, isRecord } from './intrinsics.ts';

/**
 * Refuses resources that wait for each other: CloudFormation would not deploy them.
 * @throws {FlError} `template-invalid` naming the circle
 */
export function refuseCycles({ stackName, template }: StackTemplate): void {
  const needs = new Map<string, Set<string>>();
  for (const [id, resource] of Object.entries(template.Resources)) {
    const found = new Set([resource.DependsOn ?? []].flat());
    collect(resource.Properties ?? {}, found);
    needs.set(id, found);
  }
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    if (done.has(id) || !needs.has(id)) return;
    const start = path.indexOf(id);
    if (start >= 0) {
      const circle = [...path.slice(start), id].join(' -> ');
      throw new FlError('template-invalid', `${stackName}: resources depend on each other in a circle: ${circle}`);
    }
    for (const next of needs.get(id) ?? []) visit(next, [...path, id]);
    done.add(id);
  };
  for (const id of needs.keys()) visit(id, []);
}

/** Adds every name that `value` refers to; names of parameters do no harm. */
function collect(value: Json, found: Set<string>): void {
  if (isArray(value)) for (const item of value) collect(item, found);
  if (!isRecord(value)) return;
  for (const [key, part] of Object.entries(value)) {
    if (key === 'Ref' && typeof part === 'string') found.add(part);
    else if (key === 'Fn::GetAtt') found.add(String(isArray(part) ? part[0] : part).split('.')[0]);
    else if (key === 'Fn::Sub') {
      for (const [, name] of String(isArray(part) ? part[0] : part).matchAll(/\$\{([^!}.]+)[^}]*\}/g)) found.add(name);
      collect(part, found);
    } else collect(part, found);
  }
}
