import { int, ints } from '../graph-builder.ts';
import { broadcast, type Shape } from '../shape.ts';
import { type GradientContext, illFitting, type Rule, unsupportedVariant } from './rule.ts';
import { unbroadcast } from './unbroadcast.ts';

/** Matrix product over the last two axes, the others broadcast as in NumPy. */
export const matMul: Rule = {
  outputShapes({ node, shape }) {
    const [a, b] = [shape(0), shape(1)];
    if (a.length < 2 || b.length < 2) {
      throw unsupportedVariant(node, `a vector operand ([${a}] and [${b}])`, 'Reshape it to a matrix.');
    }
    const outer = broadcast(a.slice(0, -2), b.slice(0, -2));
    if (!outer || a.at(-1) !== b.at(-2)) throw illFitting(node, `[${a}] and [${b}] cannot be multiplied`);
    return [[...outer, ...a.slice(-2, -1), ...b.slice(-1)]];
  },

  gradients(context) {
    const { build, shape, wants, outputGradient } = context;
    const left = () => {
      const product = build.node('MatMul', [outputGradient, transposed(context, 1)]);
      return unbroadcast(build, product, productShape(context.outputShape(), shape(1), 'left'), shape(0));
    };
    const right = () => {
      if (shape(1).length === 2) return weightGradient(context);
      const product = build.node('MatMul', [transposed(context, 0), outputGradient]);
      return unbroadcast(build, product, productShape(context.outputShape(), shape(0), 'right'), shape(1));
    };
    return [wants(0) ? left() : undefined, wants(1) ? right() : undefined];
  },
};

/** A 2-D right operand serves every leading axis: one Gemm over all rows, which an update can be folded into. */
function weightGradient({ build, input, shape, outputGradient }: GradientContext): string {
  const [inner, columns] = shape(1);
  const rows = (value: string, width: number | 'batch') =>
    shape(0).length === 2 || width === 'batch' ? value : build.node('Reshape', [value, build.ints([-1, width])]);
  return build.node('Gemm', [rows(input(0), inner), rows(outputGradient, columns)], { transA: int(1) });
}

function transposed({ build, input, shape }: GradientContext, index: number): string {
  const rank = shape(index).length;
  const order = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
  return build.node('Transpose', [input(index)], { perm: ints(order) });
}

function productShape(output: Shape, other: Shape, side: 'left' | 'right'): Shape {
  const outer = output.slice(0, -2);
  return side === 'left'
    ? [...outer, ...output.slice(-2, -1), ...other.slice(-2, -1)]
    : [...outer, ...other.slice(-1), ...output.slice(-1)];
}
