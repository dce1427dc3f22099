import { floatAttribute, intAttribute } from '../attributes.ts';
import { float, int } from '../graph-builder.ts';
import { broadcast, type Shape, sameShape } from '../shape.ts';
import { illFitting, type Rule, type ShapeContext } from './rule.ts';
import { unbroadcast } from './unbroadcast.ts';

/** Y = alpha A' B' + beta C, where A' and B' are A and B, transposed if asked for. */
export const gemm: Rule = {
  outputShapes(context) {
    const { node, shape } = context;
    const { transA, transB } = attributesOf(context);
    if (shape(0).length !== 2 || shape(1).length !== 2) {
      throw illFitting(node, `expected two matrices, got [${shape(0)}] and [${shape(1)}]`);
    }
    const [rows, inner] = transA ? [...shape(0)].reverse() : shape(0);
    const [innerB, columns] = transB ? [...shape(1)].reverse() : shape(1);
    if (inner !== innerB) throw illFitting(node, `A is [${shape(0)}] and B [${shape(1)}]: inner sizes differ`);
    const output: Shape = [rows, columns];
    if (hasC(context)) {
      const broadcasted = broadcast(output, shape(2));
      if (!broadcasted || !sameShape(broadcasted, output)) {
        throw illFitting(node, `C is [${shape(2)}], expected one that broadcasts to [${output}]`);
      }
    }
    return [output];
  },

  gradients(context) {
    const { build, input, wants, outputGradient: gradient } = context;
    const { alpha, beta, transA, transB } = attributesOf(context);
    const product = (a: string, b: string, transposeA: boolean, transposeB: boolean) =>
      build.node('Gemm', [a, b], {
        alpha: float(alpha),
        transA: int(Number(transposeA)),
        transB: int(Number(transposeB)),
      });
    const gradientOfA = () =>
      transA ? product(input(1), gradient, transB, true) : product(gradient, input(1), false, !transB);
    const gradientOfB = () =>
      transB ? product(gradient, input(0), true, transA) : product(input(0), gradient, !transA, false);
    const gradientOfC = () => {
      const scaled = beta === 1 ? gradient : build.node('Mul', [gradient, build.float(beta)]);
      return unbroadcast(build, scaled, context.outputShape(), context.shape(2));
    };
    return [
      wants(0) ? gradientOfA() : undefined,
      wants(1) ? gradientOfB() : undefined,
      hasC(context) && wants(2) ? gradientOfC() : undefined,
    ];
  },
};

function attributesOf({ node }: ShapeContext) {
  return {
    alpha: floatAttribute(node, 'alpha', 1),
    beta: floatAttribute(node, 'beta', 1),
    transA: intAttribute(node, 'transA', 0) !== 0,
    transB: intAttribute(node, 'transB', 0) !== 0,
  };
}

function hasC({ node }: ShapeContext): boolean {
  return node.inputs.length > 2 && node.inputs[2] !== '';
}
