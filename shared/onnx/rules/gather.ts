import { intAttribute } from '../attributes.ts';
import { type GraphBuilder, int, ints, text } from '../graph-builder.ts';
import { axisOf, type Dimension } from '../shape.ts';
import { intsOfKnown } from './known-arithmetic.ts';
import { firstInput, illFitting, type Rule, type ShapeContext, unsupportedVariant } from './rule.ts';

function gatherAxis({ node, shape }: ShapeContext): number {
  const attribute = intAttribute(node, 'axis', 0);
  const axis = axisOf(attribute, shape(0).length);
  if (axis === undefined) throw illFitting(node, `axis ${attribute} is not one of [${shape(0)}]`);
  return axis;
}

/**
 * The gradient of rows chosen along `axis`, added up where they came from.
 * @param indices of any rank, whose axes stand in place of `axis` in `gradient`
 * @param sizes int64 [rank], of what the rows were chosen from
 */
export function scatterRows(
  build: GraphBuilder,
  {
    sizes,
    rank,
    axis,
    indices,
    indexRank,
    gradient,
  }: {
    sizes: string;
    rank: number;
    axis: number;
    indices: string;
    indexRank: number;
    gradient: string;
  },
): string {
  // The chosen axis first: ScatterND then adds whole rows.
  const dataOrder = [axis, ...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)];
  const chosen = Array.from({ length: indexRank }, (_, i) => axis + i);
  const total = rank - 1 + indexRank;
  const order = [...chosen, ...Array.from({ length: total }, (_, i) => i).filter((i) => !chosen.includes(i))];
  const rowsFirst = axis === 0 ? sizes : build.node('Gather', [sizes, build.ints(dataOrder)]);
  const zeros = build.node('ConstantOfShape', [rowsFirst]);
  const rows = axis === 0 ? gradient : build.node('Transpose', [gradient], { perm: ints(order) });
  const places = build.node('Unsqueeze', [indices, build.ints([-1])]);
  const sums = build.node('ScatterND', [zeros, places, rows], { reduction: text('add') });
  if (axis === 0) return sums;
  return build.node('Transpose', [sums], { perm: ints(dataOrder.map((_, i) => dataOrder.indexOf(i))) });
}

/** Rows by number, such as an embedding's. Each row gets the sum of the gradients of its copies. */
export const gather: Rule = {
  outputShapes(context) {
    const { node, shape, known } = context;
    const axis = gatherAxis(context);
    const length = shape(0)[axis];
    const isPast = (at: Dimension) =>
      typeof at === 'number' && typeof length === 'number' && (at < -length || at >= length);
    if (known(1)?.values.some(isPast)) throw illFitting(node, `an index past axis ${axis} of [${shape(0)}]`);
    return [shape(0).toSpliced(axis, 1, ...shape(1))];
  },
  differentiable: firstInput,
  known({ known, shape }) {
    const [list, at] = [known(0), intsOfKnown(known(1))];
    if (!list || !at || list.dims.length !== 1) return undefined;
    const values = at.map((index) => list.values.at(index));
    const found = values.filter((value) => value !== undefined);
    const dims = shape(1).filter((size) => typeof size === 'number');
    return found.length === values.length ? { dims, values: found } : undefined;
  },
  gradients(context) {
    const { build, input, shape, known, outputGradient } = context;
    const axis = gatherAxis(context);
    const length = shape(0)[axis];
    const at = intsOfKnown(known(1));
    if (shape(1).length === 0 && at?.length === 1 && typeof length === 'number') {
      // One row: zeros before and after it.
      const place = at[0] < 0 ? at[0] + length : at[0];
      const row = build.node('Unsqueeze', [outputGradient, build.ints([axis])]);
      return [build.node('Pad', [row, build.ints([place, length - 1 - place]), '', build.ints([axis])])];
    }
    return [
      scatterRows(build, {
        sizes: build.node('Shape', [input(0)]),
        rank: shape(0).length,
        axis,
        indices: input(1),
        indexRank: shape(1).length,
        gradient: outputGradient,
      }),
    ];
  },
};

/** One element for each index along an axis. */
export const gatherElements: Rule = {
  outputShapes(context) {
    const { node, shape } = context;
    gatherAxis(context);
    if (shape(0).length !== shape(1).length) throw illFitting(node, `[${shape(0)}] and [${shape(1)}] differ in rank`);
    return [shape(1)];
  },
  differentiable: firstInput,
  gradients(context) {
    const { build, input, outputGradient } = context;
    const zeros = build.node('ConstantOfShape', [build.node('Shape', [input(0)])]);
    const attributes = { axis: int(gatherAxis(context)), reduction: text('add') };
    return [build.node('ScatterElements', [zeros, input(1), outputGradient], attributes)];
  },
};

/** Slices by tuples of indices. */
export const gatherNd: Rule = {
  outputShapes({ node, shape }) {
    if (intAttribute(node, 'batch_dims', 0) !== 0) {
      throw unsupportedVariant(node, 'batch_dims', 'Gather along one axis instead.');
    }
    const width = shape(1).at(-1);
    if (typeof width !== 'number' || width < 1 || width > shape(0).length) {
      throw illFitting(node, `indices [${shape(1)}] do not fit [${shape(0)}]`);
    }
    return [[...shape(1).slice(0, -1), ...shape(0).slice(width)]];
  },
  differentiable: firstInput,
  gradients({ build, input, outputGradient }) {
    const zeros = build.node('ConstantOfShape', [build.node('Shape', [input(0)])]);
    return [build.node('ScatterND', [zeros, input(1), outputGradient], { reduction: text('add') })];
  },
};
