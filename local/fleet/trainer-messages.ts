import type { TrainingPackage } from '../../client/typescript/participation.ts';
import type { Layout } from '../../shared/core/params.ts';
import type { Samples } from '../../shared/core/samples.ts';
import type { TrainingPlan } from '../../shared/wire/task-config.ts';

/** What the pool asks of a worker. Samples and package travel once and are referred to by name afterwards. */
export type TrainerRequest =
  | { readonly kind: 'samples'; readonly name: string; readonly samples: Samples }
  | { readonly kind: 'package'; readonly layout: Layout; readonly files: TrainingPackage }
  | {
      readonly kind: 'train';
      readonly id: number;
      readonly samples: string;
      readonly params: Float32Array;
      readonly plan: TrainingPlan;
      /** Seed of the shuffling stream; a `Random` itself cannot cross threads. */
      readonly seed: string;
    }
  | { readonly kind: 'evaluate'; readonly id: number; readonly samples: string; readonly params: Float32Array };

export interface TrainResult {
  readonly params: Float32Array;
  readonly loss: number;
}

export interface EvaluateResult {
  readonly loss: number;
  readonly accuracy: number;
  readonly examples: number;
}

export type TrainerReply =
  | { readonly kind: 'trained'; readonly id: number; readonly result: TrainResult }
  | { readonly kind: 'evaluated'; readonly id: number; readonly result: EvaluateResult }
  | { readonly kind: 'failed'; readonly id: number; readonly code: string; readonly message: string };
