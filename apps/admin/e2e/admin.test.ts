import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import type { Page, Response } from 'playwright-core';
import { findViolations, noBrowser, watchPage } from './support/browser.js';
import { alarm, hostileTexts } from './support/hostile-texts.js';
import { knownPages, type KnownPage } from './support/pages.js';
import { story } from './support/story.js';
import { goTo, makeConflict, makeTree, openWorld, runWay, type World } from './support/world.js';

// Seconds on a machine that is idle; a busy one is no reason to fail.
jest.setTimeout(300_000);

if (noBrowser !== undefined) process.stderr.write(`${noBrowser}\n`);
const inBrowser = noBrowser === undefined ? describe : describe.skip;

/** Changes the theme of the machine and waits until the page has followed. */
async function showIn(page: Page, scheme: 'light' | 'dark'): Promise<void> {
  await page.emulateMedia({ colorScheme: scheme });
  await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** What is wrong with one page: what axe finds in the light theme, contrasts in the dark one, and what does not fit. */
async function lookAt(page: Page, known: KnownPage): Promise<string[]> {
  await showIn(page, 'light');
  await goTo(page, known);
  const found = await findViolations(page, 'all');
  await showIn(page, 'dark');
  found.push(...(await findViolations(page, 'contrast')));
  await page.setViewportSize({ width: 320, height: 700 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.setViewportSize({ width: 1280, height: 900 });
  return width > 320 ? [...found, `is ${width} pixels wide where there are 320`] : found;
}

inBrowser('The admin app in a browser', () => {
  let world: World;
  let remove: () => void;

  beforeAll(async () => {
    const tree = makeTree({ sbis: 12, turns: 120 });
    remove = tree.remove;
    world = await openWorld(tree.home);
  });

  afterAll(async () => {
    await world.close();
    remove();
  });

  test('swaps the link for a session, and takes the token out of the address', async () => {
    const stranger = await watchPage(world.browser, { origin: world.admin.origin });

    await stranger.page.goto(world.admin.link);
    await stranger.page.getByText('deespec admin').first().waitFor();

    expect(world.first.page.url()).toBe(`${world.admin.origin}/`);
    expect(await stranger.page.getByRole('heading', { level: 1 }).innerText()).toBe('No session');
    await stranger.context.close();
  });

  test('loads at most 200 kB of JavaScript, compressed, before the first page can be used', async () => {
    const page = await world.first.context.newPage();
    const loaded: Response[] = [];
    page.on('response', (response) => loaded.push(response));

    await page.goto(world.admin.origin);
    await page.getByText('Source of truth').waitFor();
    const scripts = loaded.filter((response) => new URL(response.url()).pathname.endsWith('.js'));
    const bodies = await Promise.all(scripts.map((script) => script.body()));
    const loadedBytes = bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
    await page.close();

    process.stdout.write(`first load: ${loadedBytes} bytes of JavaScript, compressed\n`);
    expect(loadedBytes).toBeGreaterThan(50_000);
    expect(loadedBytes).toBeLessThanOrEqual(200_000);
  });

  test('names what breaks a rule in a dry run, then cuts over with it in quarantine', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/migration', words: 'Not migrated' });

    await page.getByRole('button', { name: 'Dry run: Migrate' }).click();
    const refused = page.getByRole('alert').filter({ hasText: 'It did not succeed' });
    await refused.waitFor();
    await page.getByRole('region', { name: '3. Cut over' }).getByRole('switch').click();
    const said = await runWay(page, 'Cut over', 'cutover');

    expect(said).toContain('done');
    await page.getByText('Migrated: SQLite is the source of truth').waitFor();
    makeConflict(world.home);
  });

  test('shows every page without a violation that axe finds, in both themes, and fits it into 320 pixels', async () => {
    const page = await world.first.context.newPage();
    await page.goto(world.admin.origin);
    const found: string[] = [];
    for (const known of knownPages) {
      const problems = await lookAt(page, known);
      found.push(...problems.map((problem) => `${known.name}: ${problem}`));
    }
    await page.close();

    expect(found).toEqual([]);
  });

  test('shows hostile texts as texts', async () => {
    const { page } = world.first;
    const path = `/sbis/${story.hostile}`;
    const views = ['', '?view=spec', '?view=changes', '?view=files', '?view=fields'];
    for (const view of views) await goTo(page, { path: path + view, words: alarm });
    await goTo(page, { path: `${path}?view=spec`, words: '<svg onload=' });
    const shown = await page.locator('.markdown').innerText();
    await goTo(page, { path: '/sbis?search=deespecAlarm', words: alarm });

    expect(
      hostileTexts.filter((text) => /^<(img|svg|iframe)/u.test(text) && !shown.includes(text.slice(0, 20))),
    ).toEqual([]);
    expect(await page.evaluate((name) => name in window, alarm)).toBe(false);
  });

  test('keeps what could act out of a rendered text', async () => {
    const { page } = world.first;
    await goTo(page, { path: `/sbis/${story.hostile}?view=spec`, words: '<svg onload=' });

    const acting = await page
      .locator('.markdown')
      .evaluate((root) =>
        [...root.querySelectorAll('*')]
          .filter(
            (element) =>
              /^(script|img|svg|iframe|object|embed|form|base|meta|link|style|video|audio|math|input)$/u.test(
                element.localName,
              ) ||
              element
                .getAttributeNames()
                .some((name) => name.startsWith('on') || name === 'name' || name === 'style') ||
              !/^(https?:\/\/|mailto:|#|$)/u.test(element.getAttribute('href') ?? '') ||
              (element.id !== '' && !element.id.startsWith('text-')),
          )
          .map((element) => element.outerHTML.slice(0, 200)),
      );
    const links = await page
      .locator('.markdown a[target]')
      .evaluateAll((all) => all.map((link) => link.getAttribute('rel')));

    expect(acting).toEqual([]);
    expect(links.length).toBeGreaterThan(0);
    expect(new Set(links)).toEqual(new Set(['noopener noreferrer nofollow']));
  });

  test('can be used with the keyboard alone', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/', words: 'Last verified backup' });

    await page.keyboard.press('Control+k');
    await page.getByLabel('Go to', { exact: true }).waitFor();
    await page.keyboard.type('sbis');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'SBIs' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('payments');
    await page.locator('tbody tr mark').first().waitFor();
    await page.keyboard.press('Tab');
    await page.locator('h1').click();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const focused = await page.evaluate(() => document.activeElement?.textContent ?? '');
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Timeline' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor({ state: 'detached' });

    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(focused);
  });

  test('exports what the filter shows', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/sbis?label=payments', words: 'Payment import' });

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export CSV' }).click(),
    ]);
    const stream = await download.createReadStream();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const lines = Buffer.concat(chunks).toString('utf8').trim().split(/\r?\n/u);

    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain(story.payment);
  });

  test('resolves a conflict with the version that was chosen, and is in step without being asked', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/conflicts', words: 'Take the version of the files' });

    await page.getByRole('button', { name: 'Take the version of the files' }).click();
    await page.getByLabel(/to go on/u).fill(`specs/sbi/${story.payment}/meta.yml`);
    await page.getByRole('button', { name: 'Take it', exact: true }).click();

    await page.getByText('No conflict', { exact: true }).waitFor();
    expect(await page.getByRole('navigation', { name: 'Pages' }).innerText()).not.toContain('waiting');
  });

  test('makes a backup, says that it can be trusted, and rolls the migration back', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/backups', words: 'Make a backup' });
    await page.getByLabel('Why (optional)').fill('before the way back');
    await page.getByRole('button', { name: 'Make a backup' }).click();
    await page.getByRole('cell', { name: /before the way back/u }).waitFor();
    const trust = await page.locator('.verdict').first().innerText();
    await goTo(page, { path: '/migration', words: 'To undo it, roll back' });

    const said = await runWay(page, 'Roll back', 'rollback');

    expect(trust).toContain('Yes, the last backup can be trusted');
    expect(said).toContain('done');
    await page.getByText('the files are still the source of truth').waitFor();
  });

  test('never wrote an error, broke the policy, or asked another machine for anything', () => {
    expect(world.first.problems).toEqual([]);
  });
});
