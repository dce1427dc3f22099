import { intAttribute } from '../attributes.ts';
import { type Dimension, fixedSize, type Shape } from '../shape.ts';
import { int64Values } from '../tensor.ts';
import { type GradientContext, illFitting, type Rule, unsupportedVariant } from './rule.ts';

const keepBatch = 'Keep the batch axis first and by itself.';

/** The same numbers under another shape: the gradient goes back to the input's own. */
function reshapeBack({ build, input, wants, outputGradient }: GradientContext): readonly (string | undefined)[] {
  return [wants(0) ? build.node('Reshape', [outputGradient, build.node('Shape', [input(0)])]) : undefined];
}

export const reshape: Rule = {
  outputShapes({ node, shape, constant }) {
    const target = constant(1);
    if (!target) throw unsupportedVariant(node, 'a computed shape', 'Export with a constant one.');
    if (target.type !== 'int64') throw illFitting(node, `the shape is of ${target.type}, expected int64`);
    if (intAttribute(node, 'allowzero', 0) !== 0)
      throw unsupportedVariant(node, 'allowzero=1', 'Leave empty axes out.');
    const wanted = int64Values(target);
    const from = shape(0);
    if (from.indexOf('batch') > 0) throw unsupportedVariant(node, `the input shape [${from}]`, keepBatch);
    if (from[0] !== 'batch') return [fitted(from, wanted)];
    // A leading -1 can only be the batch: the other axes are fixed and must hold one example.
    if (wanted[0] === 0) return [['batch', ...fitted(from.slice(1), wanted.slice(1), 1)]];
    if (wanted[0] === -1) return [['batch', ...fitted(from.slice(1), wanted.slice(1), 1)]];
    throw unsupportedVariant(node, `reshaping [${from}] to [${wanted}]`, keepBatch);

    /** `offset`: what to add to a target axis for the axis of the whole input that a 0 there copies. */
    function fitted(source: Shape, target: readonly number[], offset = 0): Dimension[] {
      const size = fixedSize(source) ?? Number.NaN;
      const dims = target.map((dimension, axis) => (dimension === 0 ? Number(from[axis + offset]) : dimension));
      const open = dims.indexOf(-1);
      const known = dims.reduce((product, dimension) => (dimension === -1 ? product : product * dimension), 1);
      if (open >= 0) dims[open] = size / known;
      const fits = dims.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0);
      if (!fits || dims.reduce((product, dimension) => product * dimension, 1) !== size) {
        throw illFitting(node, `[${from}] cannot be reshaped to [${wanted}]`);
      }
      return dims;
    }
  },
  gradients: reshapeBack,
};

export const flatten: Rule = {
  outputShapes({ node, shape }) {
    const from = shape(0);
    const attribute = intAttribute(node, 'axis', 1);
    const axis = attribute < 0 ? attribute + from.length : attribute;
    if (axis < 0 || axis > from.length) throw illFitting(node, `axis ${attribute} is not one of [${from}]`);
    const [rows, columns] = [product(from.slice(0, axis)), product(from.slice(axis))];
    if (rows === undefined || columns === undefined) throw unsupportedVariant(node, `flattening [${from}]`, keepBatch);
    return [[rows, columns]];
  },
  gradients: reshapeBack,
};

function product(shape: Shape): Dimension | undefined {
  return shape.length === 1 ? shape[0] : fixedSize(shape);
}
