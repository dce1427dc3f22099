import { FlError } from '../../../shared/core/errors.ts';
import { type Assembly, type Json, readAssembly } from './assembly.ts';
import { refuseCycles } from './cycles.ts';
import { Draft } from './draft.ts';
import type { CloudPlan } from './plan.ts';
import { readStack, type Stack } from './stack.ts';

/**
 * Reads a synthesized assembly (`cdk.out`) into what the local cloud has to run.
 * @throws {FlError} `assembly-invalid`, `template-invalid`, or `template-unsupported` for anything it does not know
 */
export function readPlan(folder: string): CloudPlan {
  return planOf(readAssembly(folder));
}

/** `readPlan` for an assembly in memory. */
export function planOf(assembly: Assembly): CloudPlan {
  const draft = new Draft((key) => assembly.folderOf(key));
  const stacks: Stack[] = [];
  const imported = (name: string): Json => {
    for (const stack of stacks) {
      const value = stack.exports().get(name);
      if (value !== undefined) return value;
    }
    throw new FlError('template-invalid', `no stack exports "${name}"`);
  };
  for (const stack of assembly.stacks) {
    refuseCycles(stack);
    stacks.push(readStack(stack, imported));
  }
  for (const stack of stacks) {
    for (const { kind, self, properties, where } of stack.resources) kind.add(self, properties(), draft, where);
  }
  for (const stack of stacks) {
    for (const [id, value] of Object.entries(stack.outputs())) {
      if (Object.hasOwn(draft.outputs, id)) throw new FlError('template-invalid', `two stacks have an output ${id}`);
      draft.outputs[id] = value;
    }
  }
  return draft.finish();
}
