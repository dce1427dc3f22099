import { admitUpdate } from '../../../shared/orchestrator/admit-update.ts';
import { aggregateCell } from '../../../shared/orchestrator/aggregate.ts';
import { VersionEvaluator } from '../../../shared/orchestrator/evaluate-version.ts';
import { freeze } from '../../../shared/orchestrator/freeze.ts';
import { issueTicket } from '../../../shared/orchestrator/issue-ticket.ts';
import { judgeRound } from '../../../shared/orchestrator/judge-round.ts';
import { measureTile } from '../../../shared/orchestrator/measure.ts';
import { openUpload, ticketStatus } from '../../../shared/orchestrator/open-upload.ts';
import { publish } from '../../../shared/orchestrator/publish.ts';
import { release } from '../../../shared/orchestrator/release.ts';
import { seal } from '../../../shared/orchestrator/seal-versions.ts';
import { settle } from '../../../shared/orchestrator/settle.ts';
import { showTask } from '../../../shared/orchestrator/show-task.ts';
import { onDeadline } from '../../../shared/orchestrator/start-round.ts';
import { createTask, rollback, startTask, stopTask } from '../../../shared/orchestrator/task-lifecycle.ts';
import { evaluateUpdates } from '../../../shared/orchestrator/update-losses.ts';

/** The product's functions as the simulation calls them: a mutant puts another in the place of one. */
export const productSteps = {
  admitUpdate,
  aggregateCell,
  createTask,
  evaluateUpdates,
  freeze,
  issueTicket,
  judgeRound,
  measureTile,
  onDeadline,
  openUpload,
  publish,
  release,
  rollback,
  seal,
  settle,
  showTask,
  startTask,
  stopTask,
  ticketStatus,
  evaluator: VersionEvaluator,
};

export type Steps = typeof productSteps;
