import { median } from './anomaly/robust-statistics.ts';

/** The server trains no longer than this many times what it would with a client's epochs. */
const most = 10;

/**
 * Epochs over the server's root data that come nearest to the steps of the round's median client, which has more examples as a
 * rule: FLTrust (arXiv:2012.13995, algorithm 2) gives both the same number of local steps, for a shorter root update shortens
 * every step of the model, and points where its few batches happened to.
 * @param localEpochs of the clients, >= 1
 * @param clientExamples of the round's updates, as the clients say
 * @returns an integer >= 1
 */
export function rootEpochs(localEpochs: number, rootExamples: number, clientExamples: readonly number[]): number {
  const epochs = Math.round((localEpochs * median(clientExamples)) / rootExamples);
  return Math.max(1, Math.min(most * localEpochs, epochs));
}
