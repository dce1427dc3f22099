import { intAttribute } from '../attributes.ts';
import { int } from '../graph-builder.ts';
import { fixedSize } from '../shape.ts';
import { axesInput } from './reshape.ts';
import { firstInput, type GradientContext, type Rule, type ShapeContext } from './rule.ts';

/** The axes that a reduction takes away; none at all if it is told to keep everything. */
function axesOf(context: ShapeContext): readonly number[] {
  const { node, shape } = context;
  const axes = axesInput(context, 1, shape(0).length) ?? [];
  if (axes.length > 0) return axes;
  return intAttribute(node, 'noop_with_empty_axes', 0) !== 0 ? [] : shape(0).map((_, axis) => axis);
}

/** What a gradient is made of: each value of the output's size, with the reduced axes kept as size 1. */
interface Parts {
  readonly context: GradientContext;
  readonly axes: readonly number[];
  readonly gradient: string;
  /** The output, kept likewise. */
  output(): string;
  /** Sums over the reduced axes, kept. */
  sum(value: string): string;
}

function reduction(gradient: (parts: Parts) => string): Rule {
  return {
    outputShapes(context) {
      const axes = axesOf(context);
      const keeps = intAttribute(context.node, 'keepdims', 1) !== 0;
      return [context.shape(0).flatMap((size, axis) => (axes.includes(axis) ? (keeps ? [1] : []) : [size]))];
    },
    differentiable: firstInput,
    gradients(context) {
      const { build, node } = context;
      const axes = axesOf(context);
      const isKept = intAttribute(node, 'keepdims', 1) !== 0 || axes.length === 0;
      const kept = (value: string) => (isKept ? value : build.node('Unsqueeze', [value, build.ints(axes)]));
      return [
        gradient({
          context,
          axes,
          gradient: kept(context.outputGradient),
          output: () => kept(context.output(0)),
          sum: (value) =>
            build.node('ReduceSum', [value, build.ints(axes)], { keepdims: int(1), noop_with_empty_axes: int(1) }),
        }),
      ];
    },
  };
}

function expanded({ context: { build, input } }: Parts, value: string): string {
  return build.node('Expand', [value, build.node('Shape', [input(0)])]);
}

export const reduceSum = reduction((parts) => expanded(parts, parts.gradient));

export const reduceMean = reduction((parts) => {
  const { build, shape, input } = parts.context;
  const fixed = fixedSize(parts.axes.map((axis) => shape(0)[axis]));
  if (fixed !== undefined) return expanded(parts, build.node('Mul', [parts.gradient, build.float(1 / fixed)]));
  const sizes = build.node('Gather', [build.node('Shape', [input(0)]), build.ints(parts.axes)]);
  const count = build.node('Cast', [build.node('ReduceProd', [sizes], { keepdims: int(0) })], { to: int(1) });
  return expanded(parts, build.node('Div', [parts.gradient, count]));
});

/** ReduceMax and ReduceMin: equal shares to all elements that reach the extreme, as PyTorch's amax does. */
export const reduceExtreme = reduction((parts) => {
  const { build, input } = parts.context;
  const reaches = build.node('Cast', [build.node('Equal', [input(0), parts.output()])], { to: int(1) });
  const share = build.node('Div', [parts.gradient, parts.sum(reaches)]);
  return build.node('Mul', [reaches, share]);
});

/** gy sign(x) */
export const reduceL1 = reduction(({ context: { build, input }, gradient }) =>
  build.node('Mul', [build.node('Sign', [input(0)]), gradient]),
);

/** gy x / y, 0 where y is 0. */
export const reduceL2 = reduction((parts) => {
  const { build, input } = parts.context;
  const norm = parts.output();
  const isZero = build.node('Equal', [norm, build.float(0)]);
  const scale = build.node('Where', [isZero, build.float(0), build.node('Div', [parts.gradient, norm])]);
  return build.node('Mul', [input(0), scale]);
});

/** 2 gy x */
export const reduceSumSquare = reduction(({ context: { build, input }, gradient }) =>
  build.node('Mul', [input(0), build.node('Mul', [gradient, build.float(2)])]),
);

/** gy exp(x - y) */
export const reduceLogSumExp = reduction((parts) => {
  const { build, input } = parts.context;
  return build.node('Mul', [build.node('Exp', [build.node('Sub', [input(0), parts.output()])]), parts.gradient]);
});

/** gy / sum(x) */
export const reduceLogSum = reduction((parts) => {
  const { build, input } = parts.context;
  return expanded(parts, build.node('Div', [parts.gradient, parts.sum(input(0))]));
});

/** gy times the product of the others: without zeros that is y / x, with one zero only that element gets any. */
export const reduceProd = reduction((parts) => {
  const { build, input } = parts.context;
  const isZero = build.node('Equal', [input(0), build.float(0)]);
  const zeros = parts.sum(build.node('Cast', [isZero], { to: int(1) }));
  const nonZero = build.node('Where', [isZero, build.float(1), input(0)]);
  const product = build.node('ReduceProd', [nonZero, build.ints(parts.axes)], {
    keepdims: int(1),
    noop_with_empty_axes: int(1),
  });
  const whenNone = build.node('Where', [build.node('Equal', [zeros, build.float(0)]), product, build.float(0)]);
  const whenOne = build.node('Where', [build.node('Equal', [zeros, build.float(1)]), product, build.float(0)]);
  const others = build.node('Where', [isZero, whenOne, build.node('Div', [whenNone, nonZero])]);
  return build.node('Mul', [parts.gradient, others]);
});
