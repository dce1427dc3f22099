import { stringAttribute } from '../attributes.ts';
import { text } from '../graph-builder.ts';
import type { Dimension } from '../shape.ts';
import { illFitting, type Rule, type ShapeContext, unsupportedVariant } from './rule.ts';

interface Equation {
  /** The axes of each operand, one letter each. */
  readonly operands: readonly string[];
  readonly output: string;
  readonly sizes: ReadonlyMap<string, Dimension>;
}

function equationOf({ node, shape }: ShapeContext): Equation {
  const equation = stringAttribute(node, 'equation', '').replaceAll(' ', '');
  if (equation.includes('.')) throw unsupportedVariant(node, `"${equation}"`, 'Name each axis instead of "...".');
  const [left, right] = equation.split('->');
  const operands = left.split(',');
  if (!/^[A-Za-z,]*$/.test(left) || operands.length !== node.inputs.length || !/^[A-Za-z]*$/.test(right ?? '')) {
    throw illFitting(node, `equation "${equation}" for ${node.inputs.length} operands`);
  }
  const sizes = new Map<string, Dimension>();
  operands.forEach((letters, input) => {
    if (letters.length !== shape(input).length) throw illFitting(node, `"${letters}" for [${shape(input)}]`);
    if (new Set(letters).size !== letters.length) {
      throw unsupportedVariant(node, `the diagonal "${letters}"`, 'Take the diagonal by other means.');
    }
    [...letters].forEach((letter, axis) => {
      const size = shape(input)[axis];
      if ((sizes.get(letter) ?? size) !== size) {
        throw illFitting(node, `axis "${letter}" is both ${sizes.get(letter)} and ${size}`);
      }
      sizes.set(letter, size);
    });
  });
  const once = [...sizes.keys()].filter((letter) => left.split(letter).length === 2).sort();
  const output = right ?? once.join('');
  if ([...output].some((letter) => !sizes.has(letter)) || new Set(output).size !== output.length) {
    throw illFitting(node, `the output "${output}" of "${equation}"`);
  }
  return { operands, output, sizes };
}

/** A sum of products over named axes. The gradient of an operand is such a sum of the output's gradient with the others. */
export const einsum: Rule = {
  outputShapes(context) {
    const { output, sizes } = equationOf(context);
    return [[...output].map((letter) => sizes.get(letter) ?? 0)];
  },
  gradients(context) {
    const { build, wants, input, outputGradient } = context;
    const { operands, output } = equationOf(context);
    return operands.map((letters, own) => {
      if (!wants(own)) return undefined;
      const others = operands.flatMap((_, i) => (i === own ? [] : [i]));
      const terms = [output, ...others.map((i) => operands[i])];
      // An axis that only this operand has was summed: each of its elements gets the same.
      const known = [...letters].filter((letter) => terms.some((term) => term.includes(letter))).join('');
      const equation = text(`${terms.join(',')}->${known}`);
      const product = build.node('Einsum', [outputGradient, ...others.map(input)], { equation });
      if (known === letters) return product;
      const missing = [...letters].flatMap((letter, axis) => (known.includes(letter) ? [] : [axis]));
      const kept = build.node('Unsqueeze', [product, build.ints(missing)]);
      return build.node('Expand', [kept, build.node('Shape', [input(own)])]);
    });
  },
};
