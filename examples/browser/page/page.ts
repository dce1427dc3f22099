import {
  type DeviceState,
  mayTrain,
  type Permission,
  type SchedulePolicy,
} from '../../../client/typescript/schedule.ts';
import { type JoinLink, parseLink } from '../link.ts';
import type { DataChoice, FromWorker, ToWorker } from '../messages.ts';
import { watchDevice } from './device.ts';
import { forgetJoined, type Joined, loadJoined, saveJoined } from './joined.ts';
import { whatIsMissing } from './missing.ts';
import { advance, nothingYet, type Progress, startOf } from './progress.ts';
import { box, button, element, render, show, showProblem, showTask } from './view.ts';

/** A visit to the page: consent first, then a worker that trains while the device may. */

/** The code is secret: it goes no further than this. The rest stays, so that the page can be reloaded. */
function takeLink(): JoinLink | undefined {
  const fragment = location.hash;
  const parts = new URLSearchParams(fragment.replace(/^#/, ''));
  parts.delete('code');
  history.replaceState(null, '', `#${parts}`);
  return parseLink(fragment);
}

class Visit {
  readonly #link: JoinLink;
  #joined: Joined;
  #progress: Progress;
  #worker: Worker | undefined;
  #device: DeviceState = {};
  /** What the user said with the button. */
  #paused = false;
  #leave: Permission = { train: true };

  constructor(link: JoinLink, joined: Joined) {
    this.#link = link;
    this.#joined = joined;
    this.#progress = startOf(joined.totals);
  }

  async begin(data: DataChoice): Promise<void> {
    saveJoined(this.#link, this.#joined);
    const background = box('background');
    background.checked = !this.#joined.policy.visible;
    background.onchange = () => this.#keep({ policy: { ...this.#joined.policy, visible: !background.checked } });
    button('pause').onclick = () => {
      this.#paused = !this.#paused;
      button('pause').textContent = this.#paused ? 'Go on' : 'Pause';
      this.#decide();
    };
    button('agree').onclick = () => this.#agree();
    for (const id of ['refuse', 'leave']) button(id).onclick = () => this.#end();
    button('again').onclick = () => this.#train({ kind: this.#joined.data });
    await watchDevice((state) => {
      this.#device = state;
      this.#decide();
    });
    this.#train(data);
  }

  #train(data: DataChoice): void {
    this.#worker?.terminate();
    this.#worker = new Worker('/worker.js', { type: 'module' });
    this.#worker.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
      this.#progress = advance(this.#progress, message);
      const { updates, downBytes, upBytes, history } = this.#progress;
      if (message.kind === 'event') this.#keep({ totals: { updates, downBytes, upBytes, history } });
      this.#render();
    };
    this.#worker.onerror = (event) => {
      const message = event.message || 'the worker did not load';
      this.#progress = advance(this.#progress, { kind: 'failed', code: 'unexpected', message });
      this.#render();
    };
    this.#progress = startOf(this.#joined.totals);
    this.#render();
    const link = { ...this.#link, purpose: this.#joined.purpose };
    this.#tell({ kind: 'start', link, data, paused: !this.#leave.train });
  }

  #decide(): void {
    const before = this.#leave.train;
    this.#leave = this.#paused
      ? { train: false, reason: 'you asked for it' }
      : mayTrain(this.#device, this.#joined.policy);
    if (before !== this.#leave.train) this.#tell({ kind: this.#leave.train ? 'resume' : 'pause' });
    this.#render();
  }

  #agree(): void {
    const { asked } = this.#progress;
    if (!asked) return;
    this.#keep(asked);
    this.#tell({ kind: 'agree', purpose: asked.purpose });
  }

  /** Consent is taken back: nothing runs, and nothing starts by itself when the page is opened again. */
  #end(): void {
    this.#worker?.terminate();
    forgetJoined(this.#link);
    location.reload();
  }

  #keep(changed: Partial<Joined>): void {
    this.#joined = { ...this.#joined, ...changed };
    saveJoined(this.#link, this.#joined);
    if (changed.policy) this.#decide();
  }

  #tell(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  #render(): void {
    render(this.#link, this.#progress, this.#leave);
  }
}

/** Resolves with what the user agreed to. */
function askForConsent(link: JoinLink): Promise<{ joined: Joined; data: DataChoice }> {
  show('consent');
  const form = element('consent', HTMLFormElement);
  const file = box('file');
  const isFile = () => new FormData(form).get('data') === 'file';
  const adapt = () => {
    file.disabled = !isFile();
    file.required = isFile();
  };
  form.addEventListener('change', adapt);
  adapt();
  const policy = (): SchedulePolicy => ({
    visible: !box('hidden').checked,
    charging: !box('battery').checked,
    minimumBattery: 0.3,
    unmetered: !box('metered').checked,
  });
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      const data: DataChoice = isFile() ? { kind: 'file', file: file.files?.[0] } : { kind: 'demo' };
      resolve({ joined: { purpose: link.purpose, data: data.kind, policy: policy(), totals: nothingYet }, data });
    };
  });
}

async function visit(): Promise<void> {
  const link = takeLink();
  if (!link) throw new RangeError('there is nothing behind the # of this address');
  showTask(link);
  const lack = await whatIsMissing();
  if (lack !== undefined) return refuse(lack);
  const joined = loadJoined(link);
  if (joined) return new Visit(link, joined).begin({ kind: joined.data });
  const { joined: agreed, data } = await askForConsent(link);
  return new Visit(link, agreed).begin(data);
}

function refuse(sentence: string): void {
  show('problem');
  showProblem(sentence, false);
}

addEventListener('hashchange', () => location.reload());
visit().catch((error: unknown) => {
  const why = error instanceof Error ? error.message : String(error);
  refuse(`This link is not complete: open it just as you were sent it. (${why})`);
});
