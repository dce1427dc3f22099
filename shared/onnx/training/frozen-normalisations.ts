import { parseModel } from '../parse-model.ts';

/**
 * How many BatchNormalization nodes of a forward model go by their running statistics also while it is trained: those
 * that the file does not mark with `training_mode`. PyTorch's TorchScript exporter marks them when it exports for
 * training; its dynamo exporter never does.
 * @throws {FlError} what `parseModel` throws
 */
export function frozenNormalisations(forward: Uint8Array): number {
  const isFrozen = ({ op, attributes }: { op: string; attributes: ReadonlyMap<string, { value: unknown }> }) =>
    op === 'BatchNormalization' && attributes.get('training_mode')?.value !== 1;
  return parseModel(forward).graph.nodes.filter(isFrozen).length;
}
