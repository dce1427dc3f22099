import { expect } from 'vitest';
import type { Browser, Tab } from '../browser/devtools.ts';

/** The example's page, as someone in front of it sees it and uses it. */
export interface Visit {
  readonly tab: Tab;
  /** The text of an element. */
  text(id: string): Promise<string>;
  /** Waits until the element's text is so, and visible. */
  sees(id: string, text: RegExp): Promise<void>;
  click(id: string): Promise<void>;
}

export async function openPage(browser: Browser, link: string, scripts: readonly string[] = []): Promise<Visit> {
  const tab = await browser.newTab();
  for (const script of scripts) await tab.beforeScripts(script);
  await tab.goTo(link);
  const text = async (id: string) =>
    String(await tab.evaluate(`(({ textContent, offsetParent }) => offsetParent ? textContent : '')(${byId(id)})`));
  return {
    tab,
    text,
    sees: (id, pattern) => expect.poll(() => text(id), { timeout: 60_000, interval: 50 }).toMatch(pattern),
    click: async (id) => {
      await tab.evaluate(`${byId(id)}.click()`);
    },
  };
}

const byId = (id: string) => `document.getElementById(${JSON.stringify(id)})`;
