import type { Compressors } from '../core/codec/compressor.ts';
import type { Clients } from '../ports/clients.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { ModelStore, UpdateStore } from '../ports/object-stores.ts';
import type { RoundStore } from '../ports/round-store.ts';
import type { Sealer, Sha256 } from '../ports/sealer.ts';
import type { Clock, InvitationCodes, RoundStarter, Secrets, Telemetry, UpdateQueue } from '../ports/workflow.ts';
import type { BufferGauge } from './buffer-gauge.ts';

/** Everything that the steps reach the world through; each step asks for the few that it uses. */
export interface Ports {
  readonly rounds: RoundStore;
  readonly models: ModelStore;
  readonly updates: UpdateStore;
  readonly queue: UpdateQueue;
  readonly starter: RoundStarter;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly telemetry: Telemetry;
  /** Lossless formats that encoded updates may use. */
  readonly compressors: Compressors;
  /** Signs the records of versions. */
  readonly sealer: Sealer;
  readonly sha256: Sha256;
  readonly clients: Clients;
  /** This process's own. */
  readonly gauge: BufferGauge;
}

/** And what only those reach that say who is a client. */
export interface IdentityPorts extends Ports {
  readonly identities: IdentityStore;
  readonly codes: InvitationCodes;
}
