import type {
  AggregateInput,
  CellInput,
  Evaluation,
  Frozen,
  ManifestInput,
  Published,
  ReleaseInput,
  RoundInput,
  SettleInput,
} from '../../../shared/wire/workflow.ts';
import type { Outcome } from './invocation.ts';

export type FrozenRound = Extract<Frozen, { outcome: 'frozen' }>;

/** The functions that the round's state machine calls. */
export interface RoundFunctions {
  freeze(input: RoundInput): Promise<Outcome<Frozen>>;
  losses(input: CellInput): Promise<Outcome<void>>;
  measure(input: CellInput): Promise<Outcome<void>>;
  judge(input: ManifestInput): Promise<Outcome<void>>;
  aggregate(input: AggregateInput): Promise<Outcome<void>>;
  publish(input: ManifestInput): Promise<Outcome<Published>>;
  evaluate(input: Published): Promise<Outcome<Evaluation | null>>;
  seal(input: SettleInput): Promise<Outcome<void>>;
  settle(input: SettleInput): Promise<Outcome<void>>;
  release(input: ReleaseInput): Promise<Outcome<void>>;
  /** The numbers of cells of the layout that the scenario puts in the planner's place. */
  asPlanned(frozen: FrozenRound): FrozenRound;
}
