export { type Augmentation, augment, parseAugmentations } from './augment/augment.ts';
export { mixup } from './augment/mixup.ts';
export { classWeights } from './balance/class-weights.ts';
export { overSample, underSample } from './balance/resample.ts';
export { smote } from './balance/smote.ts';
export { decodeInBrowser } from './images/browser.ts';
export { type IdxBytes, parseIdx } from './images/idx.ts';
export { type Image, withChannels } from './images/image.ts';
export { decodeImage, imageSamples, type LabelledImage } from './images/image-samples.ts';
export { concatenate, pick, slice } from './pick.ts';
export { type WindowOptions, windows } from './series/windows.ts';
export { agree } from './table/agree.ts';
export { type EncodeOptions, encode } from './table/encode.ts';
export { type Encoding, featureNames, parseEncoding } from './table/encoding.ts';
export { fitPipeline } from './table/fit.ts';
export { mergeSummaries } from './table/merge.ts';
export { type Pipeline, type PipelineInput, parsePipeline, type Step } from './table/pipeline.ts';
export { summarise } from './table/summarise.ts';
export { parseSummary, type Summary } from './table/summary.ts';
export { parseTable, type Table } from './table/table.ts';
export { encodingOf, tableParticipant } from './table-participant.ts';
export { type BytePairs, bytePairEncoder, learnBytePairs } from './text/byte-pairs.ts';
export { characterIds, nextTokenSamples, padded } from './text/next-token.ts';
export {
  countTokens,
  frequentTokens,
  mergeTokenCounts,
  parseTokenCounts,
  type TokenCounts,
} from './text/token-counts.ts';
export { wordPieces } from './text/word-piece.ts';
export { wordsOf } from './text/words.ts';
