import { GraphBuilder, int } from '../graph-builder.ts';
import { dense, forwardModel, requireSizes } from './forward-model.ts';

/** Sizes of a linear forecast: `history` past values of each of `channels` series, `horizon` values ahead of each. */
export interface LinearForecastShape {
  readonly history: number;
  readonly horizon: number;
  readonly channels?: number;
}

/**
 * Every value ahead as a linear function of all past ones (Zeng et al. 2023, arXiv:2205.13504, Linear without shared weights):
 * X [batch, history, channels] -> [batch, horizon * channels], or X [batch, history] for one channel. Parameters `linear.weight` and
 * `linear.bias`, all zero, which is as good a start as any: the squared error is convex.
 * @throws {RangeError} on a size that is not a positive integer
 */
export function linearForecast({ history, horizon, channels = 1 }: LinearForecastShape): Uint8Array {
  requireSizes({ history, horizon, channels });
  const build = new GraphBuilder();
  build.reserve('forecast');
  build.reserve('X');
  let value = build.input('X', 'float32', channels === 1 ? ['batch', history] : ['batch', history, channels]);
  if (channels > 1) value = build.node('Flatten', [value], { axis: int(1) }, 'flatten');
  value = dense(build, 'linear', value, history * channels, horizon * channels);
  build.output(value, 'forecast', 'float32', ['batch', horizon * channels]);
  return forwardModel(build.graph('linear_forecast'));
}
