import { damageTree, generateTree } from '@deespec/trees';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { deespec, startAdmin, type RunningAdmin } from './admin.js';
import { openBrowser, watchPage, type Watched } from './browser.js';
import { story, tellStory } from './story.js';

/** Name of the directory that holds the tree: what dangerous actions ask to be typed. */
export const project = 'shop';

/** A tree, the command that serves it, a browser, and a page with a session. */
export interface World {
  readonly home: string;
  readonly browser: Browser;
  readonly admin: RunningAdmin;
  /** Opened with the link; every other page of its context has the session, too. */
  readonly first: Watched;
  close(): Promise<void>;
}

interface WorldOptions {
  /** Ordinary SBIs beside those of the story. */
  readonly sbis: number;
  /** Of the longest timeline. */
  readonly turns: number;
}

/** Makes a tree of which one entry breaks a rule. @returns its `.deespec` and what removes it */
export function makeTree({ sbis, turns }: WorldOptions): { home: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'deespec-admin-'));
  const home = join(root, project, '.deespec');
  generateTree(home, { layout: 'mixed', sbis, seed: 11 });
  damageTree(home, 'torn-state');
  tellStory(home, { now: Date.now(), turns });
  return { home, remove: () => rmSync(root, { recursive: true, force: true }) };
}

/** Serves a tree and opens the link. */
export async function openWorld(home: string): Promise<World> {
  const admin = await startAdmin(home);
  const browser = await openBrowser();
  const first = await watchPage(browser, { origin: admin.origin });
  await first.page.goto(admin.link);
  await first.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  return {
    home,
    browser,
    admin,
    first,
    close: async () => {
      await browser.close();
      await admin.close();
    },
  };
}

/** Lets the files and the database change one path differently, so that there is a conflict. */
export function makeConflict(home: string): void {
  const spec = join(home, 'specs', 'sbi', story.payment, 'meta.yml');
  appendFileSync(spec, '# added by hand\n');
  deespec(home, 'sbi', 'label', story.payment, 'payments,backend,urgent');
  deespec(home, 'sync');
}

/** Goes to a page of the app and waits until its data are there. */
export async function goTo(
  page: Page,
  { path, words }: { path: string; words: string | RegExp },
): Promise<void> {
  await page.goto(new URL(path, page.url()).href);
  await page.locator('main').getByText(words).first().waitFor();
}

/** Runs one of the ways of the page "Migration" and waits for its end. @returns what its panel says then */
export async function runWay(page: Page, action: string, kind: string): Promise<string> {
  await page.getByRole('button', { name: `${action} …` }).click();
  await page.getByLabel(/to go on/u).fill(project);
  await page.getByRole('button', { name: action, exact: true }).click();
  const panel = page.getByRole('region', { name: kind, exact: true });
  await panel.getByText('Ended').first().waitFor({ timeout: 120_000 });
  return panel.innerText();
}
