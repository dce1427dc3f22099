import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { flags } from './chromium.ts';

/** A tab of headless Chromium, as a person would use it. */
export interface Tab {
  goTo(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs a JavaScript expression in the page. @returns what it, or the promise that it is, comes to, as JSON can tell it */
  evaluate(expression: string): Promise<unknown>;
  /** Before any script of pages that are opened from now on. */
  beforeScripts(source: string): Promise<void>;
  /** Gives a file to the page's `<input type=file>`. */
  giveFile(selector: string, path: string): Promise<void>;
  /** Shows the tab; the one that was in front is hidden from then on. A new tab is in front. */
  toFront(): Promise<void>;
  screenshot(width: number, height: number, dark?: boolean): Promise<Uint8Array>;
  /** What pages and their workers wrote to the console as errors, and what they threw. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

export interface Browser {
  newTab(): Promise<Tab>;
  close(): Promise<void>;
}

const messageSchema = z.object({
  id: z.number().optional(),
  sessionId: z.string().optional(),
  method: z.string().optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const createdSchema = z.object({ targetId: z.string() });
const attachedSchema = z.object({ sessionId: z.string() });
const evaluatedSchema = z.object({
  result: z.object({ value: z.unknown().optional() }),
  exceptionDetails: z.object({ exception: z.object({ description: z.string().optional() }).optional() }).optional(),
});
const pngSchema = z.object({ data: z.string() });
const rootSchema = z.object({ root: z.object({ nodeId: z.number() }) });
const nodeSchema = z.object({ nodeId: z.number() });

/** Starts headless Chromium and speaks the DevTools protocol with it. @param more flags */
export async function openChromium(chromium: string, more: readonly string[] = []): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'tributary-chromium-'));
  const options = [...flags, ...more, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  // A group of its own: Chromium is many processes.
  const child = spawn(chromium, options, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((gone) => child.on('close', () => gone()));
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-8000);
      const [found] = /ws:\/\/\S+/.exec(said) ?? [];
      if (found) resolve(found);
    });
    child.once('error', reject).once('close', () => reject(new Error(`${chromium} ended: ${said}`)));
  });
  const connection = await Connection.open(address);
  return {
    newTab: () => openTab(connection),
    close: async () => {
      connection.close();
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

async function openTab(connection: Connection): Promise<Tab> {
  const { targetId } = createdSchema.parse(await connection.send('Target.createTarget', { url: 'about:blank' }));
  const attach = { targetId, flatten: true };
  const { sessionId } = attachedSchema.parse(await connection.send('Target.attachToTarget', attach));
  const send = (method: string, params = {}) => connection.send(method, params, sessionId);
  const errors: string[] = [];
  connection.listen(sessionId, ({ method, params }) => {
    if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded') errors.push(JSON.stringify(params));
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'DOM']) await send(`${domain}.enable`);
  const loaded = () => connection.once(sessionId, 'Page.loadEventFired');
  return {
    errors,
    goTo: async (url) => {
      const done = loaded();
      // A change of the fragment alone would load nothing.
      await send('Page.navigate', { url: 'about:blank' });
      await done;
      const there = loaded();
      await send('Page.navigate', { url });
      await there;
    },
    reload: async () => {
      const done = loaded();
      await send('Page.reload');
      await done;
    },
    evaluate: async (expression) => {
      const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
      const { result, exceptionDetails } = evaluatedSchema.parse(await send('Runtime.evaluate', options));
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the page threw');
      return result.value;
    },
    beforeScripts: async (source) => {
      await send('Page.addScriptToEvaluateOnNewDocument', { source });
    },
    giveFile: async (selector, path) => {
      const { root } = rootSchema.parse(await send('DOM.getDocument'));
      const found = await send('DOM.querySelector', { nodeId: root.nodeId, selector });
      await send('DOM.setFileInputFiles', { nodeId: nodeSchema.parse(found).nodeId, files: [path] });
    },
    toFront: async () => {
      await send('Page.bringToFront');
    },
    screenshot: async (width, height, dark = false) => {
      await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
      const features = [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }];
      await send('Emulation.setEmulatedMedia', { features });
      const { data } = pngSchema.parse(await send('Page.captureScreenshot', { format: 'png' }));
      return Buffer.from(data, 'base64');
    },
    close: async () => {
      await connection.send('Target.closeTarget', { targetId });
    },
  };
}

type Message = z.output<typeof messageSchema>;

/** The protocol: numbered requests, their answers, and events, of the browser or of a session. */
class Connection {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #listeners = new Map<string, ((message: Message) => void)[]>();
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(messageSchema.parse(JSON.parse(String(data))));
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium closed the connection'));
    };
  }

  static async open(address: string): Promise<Connection> {
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Connection(socket);
  }

  send(method: string, params: object, sessionId?: string): Promise<unknown> {
    const id = ++this.#sent;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return answer.promise;
  }

  listen(sessionId: string, listener: (message: Message) => void): void {
    this.#listeners.set(sessionId, [...(this.#listeners.get(sessionId) ?? []), listener]);
  }

  once(sessionId: string, method: string): Promise<void> {
    return new Promise((resolve) => this.listen(sessionId, (message) => message.method === method && resolve()));
  }

  close(): void {
    this.#socket.close();
  }

  #receive(message: Message): void {
    if (message.id === undefined) {
      for (const listener of this.#listeners.get(message.sessionId ?? '') ?? []) listener(message);
      return;
    }
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) answer?.reject(new Error(message.error.message));
    else answer?.resolve(message.result);
  }
}
