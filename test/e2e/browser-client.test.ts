import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { fitPipeline } from '../../client/typescript/data/table/fit.ts';
import { parsePipeline } from '../../client/typescript/data/table/pipeline.ts';
import { parseTable } from '../../client/typescript/data/table/table.ts';
import { saveKeyFile } from '../../client/typescript/key-file-store.ts';
import { onnxParticipant } from '../../client/typescript/onnx.ts';
import { formatLink, type JoinLink } from '../../examples/browser/link.ts';
import { type Site, startSite } from '../../examples/browser/site.ts';
import { drawDigits } from '../../examples/browser/worker/digits.ts';
import { contributorLines } from '../../local/cli/commands/task-show.ts';
import { createTask } from '../../local/cli/create-task.ts';
import { buildModel } from '../../local/cli/model-spec.ts';
import { randomFrom } from '../../shared/core/random.ts';
import type { Samples } from '../../shared/core/samples.ts';
import { encodeHeldOut } from '../../shared/wire/held-out.ts';
import type { TaskConfigInput } from '../../shared/wire/task-config.ts';
import { findChromium } from '../browser/chromium.ts';
import { type Browser, openChromium } from '../browser/devtools.ts';
import { withoutPython } from '../client/find-python.ts';
import { openPage, type Visit } from './page-visit.ts';
import { installPythonClient, neededModules } from './python-package.ts';
import { freshAssembly, type RunningFederation, startFederation } from './small-federation.ts';

/** examples/browser in headless Chromium against the local cloud. */

const chromium = findChromium();
const purpose = 'To test the page';
/** Whatever is in front of a browser with a battery that a test holds in its hands. */
const onBattery = `
  window.battery = Object.assign(new EventTarget(), { charging: false, level: 0.8 });
  navigator.getBattery = async () => window.battery`;

let federation: RunningFederation;
let site: Site;
let browser: Browser;

beforeAll(async () => {
  if (!chromium) return;
  federation = await startFederation(await freshAssembly());
  site = await startSite();
  browser = await openChromium(chromium);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  await federation?.close();
});

function needChromium(context: TestContext): void {
  if (!chromium) context.skip('no Chromium on the PATH: set CHROMIUM, or apt-get install chromium');
}

/** A model for the page's own digits. One update takes a second or two with 20 epochs. */
async function createDigits(config: TaskConfigInput): Promise<void> {
  const model = await buildModel({ kind: 'mlp', features: 256, hidden: [64], classes: 10 }, 1);
  await createTask(federation.api, { purpose, ...config }, model, {});
}

async function linkFor(task: string, client: string, more: Partial<JoinLink> = {}): Promise<string> {
  const { code } = (await federation.api.invite({ clients: [client] })).invitations[0];
  return formatLink(site.url, { endpoint: federation.endpoint, task, client, code, purpose, ...more });
}

const issued = async (task: string) => (await federation.api.task(task)).updates.issued;

/** Waits until an update is in the middle of its training, which takes a while with hundreds of epochs. */
const training = (page: Visit) => page.sees('note', /^[1-9]\d? % of this update$/);

async function joined(link: string, scripts: readonly string[] = []): Promise<Visit> {
  const page = await openPage(browser, link, scripts);
  await page.sees('join', /Join/);
  await page.click('join');
  return page;
}

describe('the page', () => {
  test('says what it is about, and does nothing before consent', async (context) => {
    needChromium(context);
    await createDigits({ task: 'consent', round: { buffer: 1 }, stop: { rounds: 2 } });
    const link = await linkFor('consent', 'reader');
    const page = await openPage(browser, link);
    await page.sees('purpose', /^To test the page$/);
    await page.sees('client', /^reader$/);
    expect(await page.tab.evaluate('location.href')).not.toMatch(/code/);
    expect(await page.tab.evaluate('indexedDB.databases().then((all) => all.length)')).toBe(0);
    expect(await issued('consent')).toBe(0);

    await page.click('join');
    await page.sees('status', /complete/);
    // More than two where rounds take longer than training.
    await page.sees('updates', /^([2-9]|\d{2,})$/);
    await federation.cloud.idle();
    const { contributors = [] } = await federation.api.version('consent', 2);
    expect(contributors).toMatchObject([{ client: 'reader', examples: 2_000 }]);
    expect(contributors[0].agent).toMatch(/^tributary-client\/\S+ Chrome\/\d+ onnxruntime-web\/[\d.]+ wasm$/);
    expect(page.tab.errors.filter((error) => !error.includes('No available adapters'))).toEqual([]);
    await page.tab.close();
  });

  test('asks again where the task says another purpose than the link', async (context) => {
    needChromium(context);
    await createDigits({ task: 'asking', purpose: 'To sell soap', round: { buffer: 1 }, stop: { rounds: 1 } });
    const page = await joined(await linkFor('asking', 'wary'));
    await page.sees('asked-purpose', /^To sell soap$/);
    expect((await federation.api.task('asking')).updates).toMatchObject({ issued: 1, admitted: 0 });
    await page.click('agree');
    await page.sees('status', /complete/);
    await page.tab.close();
  });

  test('goes on after reloads with the ticket that it has: every update counts once', async (context) => {
    needChromium(context);
    await createDigits({
      task: 'reloads',
      round: { buffer: 1 },
      training: { localEpochs: 120 },
      selection: { ticketLifetimeMs: 40_000 },
      stop: { rounds: 3 },
    });
    const page = await joined(await linkFor('reloads', 'restless'));
    await training(page);
    expect(await issued('reloads')).toBe(1);
    await page.tab.reload();
    await training(page);
    expect(await issued('reloads')).toBe(1);
    await page.tab.reload();
    await page.sees('updates', /^1$/);
    // Wherever it is now: between two tickets, in a download, in an upload.
    await page.tab.reload();
    await page.sees('updates', /^2$/);
    await page.tab.reload();
    await page.sees('status', /complete/);
    await federation.cloud.idle();
    const { updates, quarantine } = await federation.api.task('reloads');
    expect(updates).toMatchObject({ aggregated: 3, open: 0 });
    expect(updates.issued).toBe(updates.admitted + updates.expired);
    expect(quarantine.filter(({ reason }) => reason !== 'task-ended')).toEqual([]);
    for (const version of [1, 2, 3]) {
      const { contributors = [] } = await federation.api.version('reloads', version);
      expect(contributors.map(({ client }) => client)).toEqual(['restless']);
    }
    await page.tab.close();
  });

  test('pauses where it stands while it is hidden, on battery, and when told to', async (context) => {
    needChromium(context);
    await createDigits({ task: 'pauses', round: { buffer: 1 }, training: { localEpochs: 120 }, stop: { rounds: 1 } });
    const page = await joined(await linkFor('pauses', 'idler'), [onBattery]);
    await page.sees('note', /^Paused: not charging\.$/);
    expect(await issued('pauses')).toBe(0);
    await page.tab.evaluate("battery.charging = true; battery.dispatchEvent(new Event('chargingchange'))");
    await training(page);

    const other = await browser.newTab();
    await page.sees('note', /^Paused: not on the screen\.$/);
    const done = () => page.tab.evaluate("document.getElementById('bar').value");
    // A call of the runtime that is under way ends, 0.2 s of training or so; nothing comes after it.
    await expect.poll(async () => (await done()) === (await later(done)), { timeout: 20_000 }).toBe(true);
    const before = await done();
    await later(done);
    expect(await done()).toBe(before);
    expect(before).toBeLessThan(1);
    await page.tab.toFront();
    await expect.poll(done, { timeout: 20_000 }).toBeGreaterThan(Number(before));
    expect(await issued('pauses')).toBe(1);

    await page.click('pause');
    await page.sees('note', /^Paused: you asked for it\.$/);
    await page.click('pause');
    await page.tab.evaluate("document.getElementById('background').click()");
    await other.toFront();
    await page.sees('status', /complete/);
    await Promise.all([page.tab.close(), other.close()]);
  });

  test('trains in one tab at a time', async (context) => {
    needChromium(context);
    await createDigits({ task: 'tabs', round: { buffer: 1 }, training: { localEpochs: 100 }, stop: { rounds: 2 } });
    const link = await linkFor('tabs', 'doubled');
    const first = await joined(link);
    await training(first);
    const second = await openPage(browser, link);
    await second.sees('status', /^Another tab is training$/);
    expect(await issued('tabs')).toBe(1);
    await first.tab.close();
    await second.sees('status', /complete/);
    expect((await federation.api.task('tabs')).updates).toMatchObject({ aggregated: 2 });
    await second.tab.close();
  });
});

/** Asks again after a while in which a training that goes on would show it. */
async function later<T>(ask: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  return ask();
}

describe('says in a sentence', () => {
  const problem = async (link: string, sentence: RegExp, scripts: readonly string[] = []) => {
    const page = await openPage(browser, link, scripts);
    await page.sees('join', /Join/);
    await page.click('join');
    await page.sees('sentence', sentence);
    await page.tab.close();
  };

  test('that the federation does not answer', async (context) => {
    needChromium(context);
    await problem(
      await linkFor('gone', 'lost', { endpoint: 'http://127.0.0.1:9' }),
      /at 127\.0\.0\.1:9 does not answer/,
    );
  });

  test('that an invitation was used, or is not known', async (context) => {
    needChromium(context);
    const code = (await federation.api.invite({ clients: ['late'] })).invitations[0].code;
    await createDigits({ task: 'used', stop: { rounds: 1 } });
    const link = formatLink(site.url, { endpoint: federation.endpoint, task: 'used', client: 'late', code, purpose });
    const other = await openChromium(chromium ?? '');
    const elsewhere = await openPage(other, link);
    await elsewhere.sees('join', /Join/);
    await elsewhere.click('join');
    await elsewhere.sees('status', /Training|Waiting/);
    await other.close();
    await problem(link, /^This invitation was used already/);
    const unknown = formatLink(site.url, {
      endpoint: federation.endpoint,
      task: 'used',
      client: 'nobody',
      code: 'A'.repeat(43),
    });
    await problem(unknown, /^The federation does not know this invitation/);
  });

  test('that it was removed, and takes part again with a new link', async (context) => {
    needChromium(context);
    await createDigits({ task: 'revoked', round: { buffer: 1 }, training: { localEpochs: 100 }, stop: { rounds: 3 } });
    const page = await joined(await linkFor('revoked', 'out'));
    await training(page);
    await federation.api.revoke('out', undefined);
    await page.sees('sentence', /^The federation no longer takes updates from this device|^The federation has removed/);
    await page.tab.goTo(await linkFor('revoked', 'out'));
    await page.sees('status', /complete/);
    await page.tab.close();
  });

  test('that the task is complete, or unknown', async (context) => {
    needChromium(context);
    await createDigits({ task: 'over', stop: { rounds: 1 } });
    await federation.api.stopTask('over');
    const page = await joined(await linkFor('over', 'tardy'));
    await page.sees('status', /^The task is complete/);
    await page.sees('updates', /^0$/);
    await page.tab.close();
    await problem(await linkFor('nowhere', 'astray'), /^The federation has no such task/);
  });

  test('what the browser lacks, and that a link is not complete', async (context) => {
    needChromium(context);
    const old = `crypto.subtle.generateKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'))`;
    const lacking = await openPage(browser, await linkFor('any', 'old'), [old]);
    await lacking.sees('sentence', /^This browser cannot take part: it lacks Ed25519 signatures/);
    await lacking.tab.close();
    const cut = await openPage(browser, `${site.url}#task=digits&code=${'A'.repeat(43)}`);
    await cut.sees('sentence', /^This link is not complete.*endpoint/);
    expect(await cut.tab.evaluate('location.href')).not.toMatch(/code/);
    await cut.tab.close();
  });
});

test('with WebGPU the same model trains', async (context) => {
  needChromium(context);
  const training = { localEpochs: 1, batchSize: 200 };
  for (const task of ['gpu', 'cpu']) await createDigits({ task, round: { buffer: 1 }, training, stop: { rounds: 1 } });
  // A GPU that Chromium imitates on the processor.
  const other = await openChromium(chromium ?? '', ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
  try {
    const trained = async (task: string, compute: 'webgpu' | 'wasm') => {
      const page = await openPage(other, await linkFor(task, 'painter', { compute }));
      if (compute === 'webgpu') {
        const adapter = await page.tab.evaluate("'gpu' in navigator && navigator.gpu.requestAdapter().then(Boolean)");
        if (!adapter) context.skip('this Chromium has no WebGPU, not even an imitated one');
      }
      await page.sees('join', /Join/);
      await page.click('join');
      await page.sees('status', /complete/);
      await federation.cloud.idle();
      const { contributors = [], clientMetrics } = await federation.api.version(task, 1);
      expect(contributors[0].agent).toMatch(new RegExp(` ${compute}$`));
      return clientMetrics;
    };
    const [gpu, cpu] = [await trained('gpu', 'webgpu'), await trained('cpu', 'wasm')];
    expect(gpu.trainLoss).toBeGreaterThan(0);
    expect(gpu.trainLoss).toBeCloseTo(cpu.trainLoss, 4);
  } finally {
    await other.close();
  }
});

describe('a mixed fleet', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tributary-mixed-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('of Node and a browser trains one model, and `task show` says who is who', async (context) => {
    needChromium(context);
    await createDigits({
      task: 'two-kinds',
      round: { mode: 'sync', buffer: 2, maxStaleness: 0 },
      codecs: { upload: { kind: 'int8', rotate: true } },
      stop: { rounds: 4 },
    });
    const page = await joined(await linkFor('two-kinds', 'browser'));
    const node = await federation.client('node');
    const samples = drawDigits(500, randomFrom('node'));
    const summary = await node.participate('two-kinds', onnxParticipant({ ort, samples }));
    // While a round is being combined, a fast client may train once more for the version before: that update counts in none.
    expect(summary.reason).toBe('task-ended');
    expect(summary.updates).toBeGreaterThanOrEqual(4);
    await page.sees('status', /complete/);
    expect(await whoIsWho('two-kinds', 4)).toMatch(
      /browser +tributary-client\/\S+ Chrome\/\d+ onnxruntime-web\/\S+ wasm +2000.*\n +node +tributary-client\/\S+ Node\.js\/\d+ +500/,
    );
    await page.tab.close();
  });

  test('of Node, a browser with a table, Python and PyTorch trains one model', async (context) => {
    needChromium(context);
    const python = (await installPythonClient()) ?? context.skip(withoutPython(...neededModules));
    await python.python(folder, join(import.meta.dirname, 'readme-blocks.py'), 'export');
    const csv = join(folder, 'browser.csv');
    writeFileSync(csv, csvOf(threeClasses('browser')));
    await createTask(
      federation.api,
      {
        task: 'four-kinds',
        round: { mode: 'sync', buffer: 4, maxStaleness: 0 },
        training: { localEpochs: 3, batchSize: 16, learningRate: 0.1 },
        stop: { rounds: 6 },
      },
      await buildModel({ onnx: join(folder, 'net.onnx') }, 1),
      { heldOut: encodeHeldOut(threeClasses('held out', 600)), encoding: asTheyAre(threeClasses('columns')) },
    );
    const page = await openPage(browser, await linkFor('four-kinds', 'browser-table', { purpose: undefined }));
    await page.tab.evaluate(`document.querySelector('input[value=file]').click()`);
    await page.tab.giveFile('#file', csv);
    await page.click('join');
    const silo = async (name: string) => {
      const key = join(folder, `${name}.json`);
      await saveKeyFile(key, federation.endpoint, await federation.key(name));
      const data = join(folder, `${name}.safetensors`);
      writeFileSync(data, encodeHeldOut(threeClasses(name)));
      return python.python(folder, join(import.meta.dirname, 'python-silo.py'), name, key, 'four-kinds', data);
    };
    const node = await federation.client('node');
    try {
      await Promise.all([
        node.participate('four-kinds', onnxParticipant({ ort, samples: threeClasses('node') })),
        silo('onnx'),
        silo('torch'),
      ]);
    } finally {
      python.remove();
    }
    await page.sees('status', /complete/);
    const shown = await whoIsWho('four-kinds', 6);
    expect(shown).toMatch(/browser-table +tributary-client\/\S+ Chrome\/\d+ onnxruntime-web\/\S+ wasm +192 /);
    expect(shown).toMatch(/node +tributary-client\/\S+ Node\.js\/\d+ +240 /);
    expect(shown).toMatch(/onnx +tributary-client\/\S+ python\/\S+ onnxruntime\/\S+ +240 /);
    expect(shown).toMatch(/torch +tributary-client\/\S+ python\/\S+ torch\/\S+ +240 /);
    const versions = await federation.api.versions('four-kinds');
    expect(versions.at(-1)?.evaluation?.accuracy).toBeGreaterThan(0.75);
    expect(federation.cloud.denials()).toEqual([]);
    await page.tab.close();
  });
});

/** What `task show` prints of the newest version. */
async function whoIsWho(task: string, version: number): Promise<string> {
  await federation.cloud.idle();
  const { contributors } = await federation.api.version(task, version);
  return contributorLines(contributors).join('\n');
}

/** The largest of the first three of eight features. */
function threeClasses(silo: string, n = 240): Samples {
  const draw = randomFrom(silo);
  const x = Float32Array.from({ length: n * 8 }, () => draw.normal());
  const y = Int32Array.from({ length: n }, (_, i) => {
    const scores = x.subarray(i * 8, i * 8 + 3);
    return scores.indexOf(Math.max(...scores));
  });
  return { x, y, n, shape: [8] };
}

function csvOf({ x, y }: Samples): string {
  const header = [...Array.from({ length: 8 }, (_, i) => `f${i}`), 'class'].join(',');
  const rows = Array.from(y, (label, i) => [...x.subarray(i * 8, i * 8 + 8), label].join(','));
  return [header, ...rows].join('\n');
}

/** An encoding that takes the columns of such a table for features just as they are. */
function asTheyAre(samples: Samples): Uint8Array {
  const table = parseTable(csvOf(samples), 'columns.csv') ?? expect.unreachable();
  const encoding = fitPipeline([{ table }], parsePipeline({ label: 'class', steps: [], missingIndicator: false }));
  return new TextEncoder().encode(JSON.stringify(encoding));
}
