import type { Compute } from '../link.ts';
import type { FromWorker } from '../messages.ts';

export type Phase =
  | 'starting'
  | 'elsewhere'
  | 'enrolling'
  | 'asking'
  | 'waiting'
  | 'downloading'
  | 'training'
  | 'uploading'
  | 'ended'
  | 'failed';

/** How well a version did on this device's own test examples, in [0, 1]. */
export interface Measured {
  readonly version: number;
  readonly accuracy: number;
}

/** What this device gave and got, over all visits. */
export interface Totals {
  readonly updates: number;
  readonly downBytes: number;
  readonly upBytes: number;
  readonly history: readonly Measured[];
}

/** All that the page shows. */
export interface Progress extends Totals {
  readonly phase: Phase;
  readonly compute?: Compute;
  readonly version?: number;
  /** Examples of one update. */
  readonly examples?: number;
  /** Of this update's training, in [0, 1]. */
  readonly done: number;
  /** Why it waits, or what was lost. */
  readonly note?: { readonly code: string; readonly text: string };
  readonly problem?: { readonly code: string; readonly message: string };
  /** What the task says the data is for, where that is still to be agreed to. */
  readonly asked?: { readonly purpose: string | undefined };
}

export const nothingYet: Totals = { updates: 0, downBytes: 0, upBytes: 0, history: [] };
/** Of the chart's points, the newest. */
const mostMeasured = 200;

export function startOf({ updates, downBytes, upBytes, history }: Totals): Progress {
  return { updates, downBytes, upBytes, history, phase: 'starting', done: 0 };
}

/** What the page shows after the worker said this. */
export function advance(before: Progress, message: FromWorker): Progress {
  const progress = { ...before, note: undefined, asked: undefined };
  switch (message.kind) {
    case 'elsewhere':
    case 'enrolling':
      return { ...progress, phase: message.kind };
    case 'ready':
      return { ...progress, phase: 'waiting', compute: message.compute };
    case 'purpose':
      return { ...progress, phase: 'asking', asked: { purpose: message.purpose } };
    case 'progress':
      return { ...progress, phase: 'training', done: message.stepsDone / message.stepsTotal };
    case 'ended':
      return { ...progress, phase: 'ended' };
    case 'failed':
      return { ...progress, phase: 'failed', problem: { code: message.code, message: message.message } };
    case 'event':
      return afterEvent(progress, message.event);
  }
}

function afterEvent(progress: Progress, event: Extract<FromWorker, { kind: 'event' }>['event']): Progress {
  switch (event.kind) {
    case 'waiting':
      return { ...progress, phase: 'waiting', done: 0, note: { code: event.code, text: event.reason } };
    case 'ticket':
      return { ...progress, phase: 'downloading', done: 0, version: event.baseVersion };
    case 'downloaded':
      return { ...progress, phase: 'training', downBytes: progress.downBytes + event.bytes };
    case 'trained': {
      const { accuracy } = event.metrics;
      const history = withPoint(progress.history, progress.version, accuracy);
      return { ...progress, phase: 'uploading', done: 1, examples: event.examples, history };
    }
    case 'resumed':
      return { ...progress, phase: 'uploading', done: 1, version: event.baseVersion };
    case 'uploaded':
      return {
        ...progress,
        phase: 'waiting',
        done: 0,
        updates: progress.updates + 1,
        upBytes: progress.upBytes + event.bytes,
      };
    case 'abandoned':
      return {
        ...progress,
        phase: 'waiting',
        done: 0,
        note: { code: 'abandoned', text: `This turn was lost: ${event.reason}` },
      };
    case 'unsaved':
    case 'outcome':
      return progress;
  }
}

/** A version that is trained from twice is measured twice, with one result. */
function withPoint(history: readonly Measured[], version: number | undefined, accuracy: number | undefined) {
  if (version === undefined || accuracy === undefined) return history;
  return [...history.filter((point) => point.version !== version), { version, accuracy }].slice(-mostMeasured);
}
