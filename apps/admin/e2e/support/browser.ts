import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** Debian's Chromium; browsers that a test tool downloads are not used. */
const executablePath = '/usr/bin/chromium';

/** Why there can be no test in a browser here; `undefined` when there can. */
export const noBrowser = existsSync(executablePath)
  ? undefined
  : `skipped: no ${executablePath}; "apt-get install chromium" provides it`;

const flags = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium with an empty profile. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: flags });
}

/** What a page did that no page of ours may do. */
export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of the console, uncaught errors, breaches of the policy, dialogs, requests to elsewhere. */
  readonly problems: string[];
}

/** Opens a page and writes down what it may not do. */
export async function watchPage(
  browser: Browser,
  { origin, width = 1280, scheme = 'light' }: { origin: string; width?: number; scheme?: 'light' | 'dark' },
): Promise<Watched> {
  // Without motion: colours that are still on their way from one theme to the other are no finding.
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    reducedMotion: 'reduce',
  });
  const problems: string[] = [];
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== 'blob:') problems.push(`request: ${request.url()}`);
  });
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  return { context, page, problems };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** Violations that axe finds on the page, of all its rules or of those about contrast; empty when there are none. */
export async function findViolations(page: Page, rules: 'all' | 'contrast'): Promise<string[]> {
  const known = await page.evaluate(() => 'axe' in globalThis);
  // By the debugger's own channel: the policy of the page admits no script that is not of the server.
  if (!known) await page.evaluate(axeSource);
  const result = await page.evaluate(
    async (runOnly) => {
      const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<unknown> } };
      return axe.run(runOnly === undefined ? {} : { runOnly });
    },
    rules === 'contrast' ? ['color-contrast'] : undefined,
  );
  return (result as AxeResult).violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
  );
}
