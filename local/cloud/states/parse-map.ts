import type { Distribution, ItemReader, MapState } from './definition.ts';
import { DefinitionError, Fields } from './fields.ts';
import { optionalQuantity, optionalTemplate, type Place, parseResult } from './parse-place.ts';
import { parseRecovery } from './parse-recovery.ts';
import { parseStep } from './parse-step.ts';
import type { Template } from './template.ts';

/** What a Map may hold only if it is distributed. */
const distributedOnly = ['ItemReader', 'ItemBatcher', 'Label', 'ToleratedFailureCount', 'ToleratedFailurePercentage'];

/** A Map state, inline or distributed; ResultWriter and readers other than one JSON array in S3 are refused. */
export function parseMap(fields: Fields, place: Place): MapState {
  const processor = new Fields(fields.take('ItemProcessor'), fields.at('ItemProcessor'));
  processor.optionalText('Comment');
  const executionType = parseProcessorConfig(processor);
  const distributed = executionType !== undefined;
  if (!distributed) {
    for (const name of distributedOnly) {
      if (fields.has(name))
        throw new DefinitionError(fields.at(name), 'needs a Map whose ProcessorConfig.Mode is DISTRIBUTED');
    }
  }
  if (fields.has('Items') && fields.has('ItemReader')) {
    throw new DefinitionError(fields.at('Items'), 'and ItemReader exclude each other');
  }
  const map: MapState = {
    type: 'Map',
    ...parseStep(fields, place),
    ...parseResult(fields, place, ['input', 'result', 'context']),
    ...parseRecovery(fields, place),
    items: optionalTemplate(fields, 'Items', place),
    itemSelector: optionalTemplate(fields, 'ItemSelector', place),
    maxConcurrency: optionalQuantity(fields, 'MaxConcurrency', place, { integer: true }),
    processor: place.parseProcess(processor, distributed ? 'isolated' : 'nested'),
    distribution: executionType === undefined ? undefined : parseDistribution(fields, place, executionType),
  };
  processor.finish();
  return map;
}

/** The type of a distributed Map's children, undefined for an inline Map. */
function parseProcessorConfig(processor: Fields): Distribution['executionType'] | undefined {
  if (!processor.has('ProcessorConfig')) return undefined;
  const config = new Fields(processor.take('ProcessorConfig'), processor.at('ProcessorConfig'));
  const mode = config.word('Mode', ['INLINE', 'DISTRIBUTED']);
  const executionType = mode === 'INLINE' ? undefined : config.word('ExecutionType', ['STANDARD', 'EXPRESS']);
  config.finish();
  return executionType;
}

function parseDistribution(fields: Fields, place: Place, executionType: Distribution['executionType']): Distribution {
  const label = fields.optionalText('Label') ?? place.name.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 40);
  if (!/^[A-Za-z0-9_.-]{1,40}$/.test(label)) {
    throw new DefinitionError(fields.at('Label'), 'must be 1 to 40 letters, digits, dots, dashes or underscores');
  }
  return {
    executionType,
    label,
    reader: parseReader(fields, place),
    batch: parseBatcher(fields, place),
    toleratedCount: optionalQuantity(fields, 'ToleratedFailureCount', place, { integer: true }),
    toleratedPercentage: optionalQuantity(fields, 'ToleratedFailurePercentage', place, { max: 100 }),
  };
}

function parseReader(fields: Fields, place: Place): ItemReader | undefined {
  if (!fields.has('ItemReader')) return undefined;
  const reader = new Fields(fields.take('ItemReader'), fields.at('ItemReader'));
  reader.word('Resource', ['arn:aws:states:::s3:getObject']);
  const config = new Fields(reader.take('ReaderConfig'), reader.at('ReaderConfig'));
  config.word('InputType', ['JSON']);
  const maxItems = optionalQuantity(config, 'MaxItems', place, { integer: true, min: 1, max: 100_000_000 });
  config.finish();
  const readerArguments = optionalTemplate(reader, 'Arguments', place);
  if (readerArguments === undefined) throw new DefinitionError(reader.at('Arguments'), 'is missing');
  refuseUnknownMembers(readerArguments, reader.at('Arguments'), ['Bucket', 'Key']);
  reader.finish();
  return { arguments: readerArguments, maxItems };
}

function parseBatcher(fields: Fields, place: Place): Distribution['batch'] {
  if (!fields.has('ItemBatcher')) return undefined;
  const batcher = new Fields(fields.take('ItemBatcher'), fields.at('ItemBatcher'));
  const maxItems = optionalQuantity(batcher, 'MaxItemsPerBatch', place, { integer: true, min: 1 });
  if (maxItems === undefined) throw new DefinitionError(batcher.at('MaxItemsPerBatch'), 'is missing');
  const batchInput = optionalTemplate(batcher, 'BatchInput', place);
  batcher.finish();
  return { maxItems, batchInput };
}

/** Refuses members of literal arguments that an integration does not know. */
export function refuseUnknownMembers(template: Template, path: string, known: readonly string[]): void {
  if (template.kind === 'expression') return;
  if (template.kind !== 'object') throw new DefinitionError(path, 'must be an object');
  for (const { name } of template.members) {
    if (!known.includes(name)) throw new DefinitionError(`${path}.${name}`, 'is not supported locally');
  }
  for (const name of known) {
    if (name !== 'Payload' && !template.members.some((member) => member.name === name)) {
      throw new DefinitionError(`${path}.${name}`, 'is missing');
    }
  }
}
