import type { ParticipationEvent, ParticipationSummary } from '../../client/typescript/participation.ts';
import type { Compute, JoinLink } from './link.ts';

/** What this device trains on. A file is given once, and kept on the device for the next time the page is opened. */
export type DataChoice = { readonly kind: 'demo' } | { readonly kind: 'file'; readonly file?: File };

export type ToWorker =
  | {
      readonly kind: 'start';
      /** Its `purpose` is what the user agreed to. */
      readonly link: JoinLink;
      readonly data: DataChoice;
      readonly paused: boolean;
    }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'agree'; readonly purpose: string | undefined };

export type FromWorker =
  /** Another tab trains as this client; this one goes on when that is closed. */
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'enrolling' }
  | { readonly kind: 'ready'; readonly compute: Compute }
  /** The task says another purpose than was agreed to: nothing happens until the user agrees to this one. */
  | { readonly kind: 'purpose'; readonly purpose: string | undefined }
  | { readonly kind: 'event'; readonly event: ParticipationEvent }
  | { readonly kind: 'progress'; readonly stepsDone: number; readonly stepsTotal: number }
  | { readonly kind: 'ended'; readonly summary: ParticipationSummary }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
