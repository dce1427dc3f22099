export { FlError } from '../../shared/core/errors.ts';
export type { Layout, Params, TensorSpec } from '../../shared/core/params.ts';
export type { Random } from '../../shared/core/random.ts';
export type { Samples } from '../../shared/core/samples.ts';
export type { Metrics, TicketResponse, TicketState, TicketStatusResponse } from '../../shared/wire/api.ts';
export {
  type ClientKey,
  generateClientKey,
  type KeyFile,
  keyFileOf,
  readKeyFile,
} from '../../shared/wire/identity/keys.ts';
export type { TrainingPlan } from '../../shared/wire/task-config.ts';
export {
  type ClientOptions,
  type TicketAnswer,
  TributaryClient,
  type UpdateTicket,
  type UpdateToStore,
} from './client.ts';
export { type EnrolOptions, enrol } from './enrol.ts';
export { indexedDbKeys, indexedDbStore } from './indexed-db.ts';
export { type KeySlot, type KeyStore, memoryKeys } from './key-store.ts';
export { onnxParticipant } from './onnx.ts';
export type {
  Evaluate,
  ParticipateOptions,
  ParticipationEvent,
  ParticipationSummary,
  Train,
  Trained,
  TrainInput,
  TrainingPackage,
} from './participation.ts';
export { memoryStore, type Store } from './store.ts';
export { fetchTransport, type Transport, type TransportRequest, type TransportResponse } from './transport.ts';
