import { stringAttribute } from '../../attributes.ts';
import { int } from '../../graph-builder.ts';
import { intsOfKnown } from '../../rules/known-arithmetic.ts';
import { axesInput } from '../../rules/reshape.ts';
import { illFitting, requireFewConstants, unsupportedVariant } from '../../rules/rule.ts';
import { Parts, type Stage } from '../rewriter.ts';

/** Which element of an axis of `size` stands at a place outside of it. */
const places: Readonly<Record<string, (place: number, size: number) => number>> = {
  edge: (place, size) => Math.min(size - 1, Math.max(0, place)),
  wrap: (place, size) => ((place % size) + size) % size,
  reflect(place, size) {
    const period = Math.max(1, 2 * (size - 1));
    const within = ((place % period) + period) % period;
    return within < size ? within : period - within;
  },
};

const mostRows = 2 ** 20;

/** A Pad that repeats the input at its edges, as a choice of rows along each padded axis. */
export const pad: Stage = (node, rewriter) => {
  const mode = stringAttribute(node, 'mode', 'constant');
  if (mode === 'constant') return [node];
  const view = rewriter.view(node);
  const from = view.shape(0);
  const pads = intsOfKnown(view.known(1));
  const axes = axesInput(view, 3, from.length) ?? [...from.keys()];
  const placeOf = Object.hasOwn(places, mode) ? places[mode] : undefined;
  if (!pads || !placeOf)
    throw unsupportedVariant(node, `mode=${mode} with these pads`, 'Use constant pads, by reflect, edge or wrap.');
  if (pads.length !== 2 * axes.length) throw illFitting(node, `${pads.length} pads for ${axes.length} axes`);
  const parts = new Parts(node, rewriter);
  let value = node.inputs[0];
  axes.forEach((axis, i) => {
    const [before, after, size] = [pads[i], pads[i + axes.length], from[axis]];
    if (before === 0 && after === 0) return;
    if (Math.max(Math.abs(before), Math.abs(after)) > mostRows)
      throw unsupportedVariant(node, `pads [${pads}]`, 'Pad by less.');
    if (typeof size !== 'number' || size + before + after < 1) throw illFitting(node, `pads [${pads}] of [${from}]`);
    requireFewConstants(node, size + before + after);
    const rows = Array.from({ length: size + before + after }, (_, place) => placeOf(place - before, size));
    value = parts.node('Gather', [value, parts.ints(rows)], { axis: int(axis) });
  });
  return parts.end('Identity', [value]);
};
