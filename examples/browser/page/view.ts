import type { Permission } from '../../../client/typescript/schedule.ts';
import type { JoinLink } from '../link.ts';
import { drawChart, percent } from './chart.ts';
import { mayHelpToRepeat, sentenceFor } from './problems.ts';
import type { Phase, Progress } from './progress.ts';

/** The page's elements. The rest of the page knows them by these names only. */

/** @throws {TypeError} if the page has no such element of that kind */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new TypeError(`the page has no ${kind.name} #${id}`);
}

const html = (id: string) => element(id, HTMLElement);
export const button = (id: string) => element(id, HTMLButtonElement);
export const box = (id: string) => element(id, HTMLInputElement);

const sections = ['problem', 'consent', 'asked', 'training'] as const;

export function show(...names: readonly (typeof sections)[number][]): void {
  for (const name of sections) html(name).hidden = !names.includes(name);
}

export function showTask({ endpoint, task, client, purpose }: JoinLink): void {
  document.title = `${task} · Tributary`;
  html('task').textContent = task;
  html('host').textContent = `a task of the federation at ${new URL(endpoint).host}`;
  html('client').textContent = client;
  html('purpose').textContent = purpose ?? 'The link does not say. If the task does, you are asked again.';
}

export function showProblem(sentence: string, again: boolean): void {
  html('sentence').textContent = sentence;
  button('again').hidden = !again;
}

const words: Readonly<Record<Phase, string>> = {
  starting: 'Starting',
  elsewhere: 'Another tab is training',
  enrolling: 'Joining',
  asking: 'Waiting for you',
  waiting: 'Waiting for a turn',
  downloading: 'Downloading the model',
  training: 'Training',
  uploading: 'Sending the update',
  ended: 'The task is complete. Thank you!',
  failed: 'Stopped',
};

/** Phases that a pause does not interrupt: nothing is under way, or it is a matter of a moment. */
const running = new Set<Phase>(['starting', 'waiting', 'downloading', 'training', 'uploading']);

/** Shows everything as it is now. */
export function render(link: JoinLink, progress: Progress, leave: Permission): void {
  const { phase, problem, asked, history } = progress;
  show(...(problem ? (['problem', 'training'] as const) : asked ? (['asked'] as const) : (['training'] as const)));
  if (problem) showProblem(sentenceFor(problem, link.endpoint), mayHelpToRepeat(problem));
  html('asked-purpose').textContent = asked?.purpose ?? 'It says nothing of it any more.';
  const paused = !leave.train && running.has(phase);
  html('status').textContent = paused ? 'Paused' : words[phase];
  html('status').dataset.state = paused ? 'paused' : phase;
  html('note').textContent = paused && !leave.train ? `Paused: ${leave.reason}.` : noteOf(progress);
  element('bar', HTMLProgressElement).value = phase === 'ended' ? 1 : progress.done;
  html('updates').textContent = String(progress.updates);
  html('version').textContent = String(progress.version ?? '–');
  html('examples').textContent = progress.examples?.toLocaleString('en') ?? '–';
  const newest = history.at(-1);
  html('accuracy').textContent = newest ? percent(newest.accuracy) : '–';
  html('down').textContent = bytesText(progress.downBytes);
  html('up').textContent = bytesText(progress.upBytes);
  html('foot').textContent =
    progress.compute === undefined ? '' : `Computes with ${progress.compute === 'webgpu' ? 'WebGPU' : 'WebAssembly'}`;
  button('pause').hidden = phase === 'ended' || phase === 'failed';
  drawChart(element('chart', SVGSVGElement), history);
}

function noteOf({ phase, note, done }: Progress): string {
  if (phase === 'training') return `${percent(done)} of this update`;
  if (phase === 'elsewhere') return 'This one goes on when you close it.';
  if (phase === 'ended') return 'You can close this page.';
  return note === undefined ? '' : (calm[note.code] ?? note.text);
}

/** Why there is no turn now, in words for whom codes and names tell nothing. */
const calm: Readonly<Record<string, string>> = {
  'client-busy': 'Your last turn is not settled yet.',
  'cohort-full': 'The task has all the devices that it wants for now.',
  'client-paced': 'This device went away during its last turns, so it is asked less often.',
  'task-not-started': 'The task has not started yet.',
};

function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
