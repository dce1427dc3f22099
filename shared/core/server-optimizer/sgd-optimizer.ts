import { requireTile, type ServerOptimizer } from './server-optimizer.ts';
import { serverSgd } from './sgd.ts';

export interface SgdConfig {
  readonly learningRate: number;
  /** In [0, 1); 0 keeps no state. */
  readonly momentum: number;
}

/** FedAvg with a server learning rate and, with momentum, FedAvgM (arXiv:1909.06335, section 3): see `serverSgd`. */
export const sgd: ServerOptimizer<SgdConfig> = {
  kind: 'sgd',
  slots: ({ momentum }) => (momentum === 0 ? [] : ['velocity']),
  step(config, input) {
    requireTile(input, config.momentum === 0 ? 0 : 1);
    const { params, velocity } = serverSgd(input.base, input.delta, input.slots[0], config);
    return { params, slots: velocity ? [velocity] : [] };
  },
};
