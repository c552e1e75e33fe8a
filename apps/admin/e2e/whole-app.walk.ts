import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { deespec } from './support/admin.js';
import { noBrowser } from './support/browser.js';
import { knownPages } from './support/pages.js';
import { story } from './support/story.js';
import { goTo, makeConflict, makeTree, openWorld, type World } from './support/world.js';

// A walk through every page on a tree of the size that the app is made for, with pictures for people to look at and the times
// that a user waits. It takes minutes, so it is no part of the tests: "npm run walk" in this package.

const artefacts = fileURLToPath(new URL('artefacts', import.meta.url));
const sbis = Number(process.env.DEESPEC_WALK_SBIS ?? '20000');
const turns = 2000;
const inBrowser = noBrowser === undefined ? describe : describe.skip;

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}

/** Milliseconds from the request for a page until it can be used. */
async function timeToUse(page: Page, known: (typeof knownPages)[number]): Promise<number> {
  const begin = performance.now();
  await goTo(page, known);
  return performance.now() - begin;
}

/** Scrolls the timeline from its end to its beginning. @returns the longest time that the page did not answer, milliseconds */
async function scrollTimeline(page: Page): Promise<number> {
  return page.locator('.timeline-frame').evaluate(async (frame) => {
    let longest = 0;
    let last = performance.now();
    for (let top = frame.scrollHeight; top > 0; top -= 900) {
      frame.scrollTop = top;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
    return longest;
  });
}

inBrowser('A walk through the admin app', () => {
  let world: World;
  let remove: () => void;

  beforeAll(async () => {
    mkdirSync(artefacts, { recursive: true });
    const tree = makeTree({ sbis, turns });
    remove = tree.remove;
    deespec(tree.home, 'cutover', '--yes', '--quarantine');
    makeConflict(tree.home);
    world = await openWorld(tree.home);
  }, 3_600_000);

  afterAll(async () => {
    await world.close();
    remove();
  });

  test.each(['light', 'dark'] as const)(
    'takes a picture of every page in %s',
    async (scheme) => {
      const { page } = world.first;
      await page.emulateMedia({ colorScheme: scheme });
      for (const known of knownPages) {
        const ms = await timeToUse(page, known);
        await page.waitForTimeout(500);
        await page.screenshot({ path: join(artefacts, `${known.name}-${scheme}.png`), fullPage: true });
        say(`${known.name}, ${scheme}: ${ms.toFixed(0)} ms until it could be used`);
      }

      expect(world.first.problems).toEqual([]);
    },
    600_000,
  );

  test('takes a picture of every page at 320 pixels', async () => {
    const { page } = world.first;
    await page.setViewportSize({ width: 320, height: 700 });
    for (const known of knownPages) {
      await goTo(page, known);
      await page.screenshot({ path: join(artefacts, `${known.name}-320.png`), fullPage: true });
    }
    await page.setViewportSize({ width: 1280, height: 900 });

    expect(world.first.problems).toEqual([]);
  }, 600_000);

  test('scrolls a timeline of 2,000 turns without blocking', async () => {
    const { page } = world.first;
    await goTo(page, { path: `/sbis/${story.long}`, words: `turn ${turns} of run 1` });

    const longestMs = await scrollTimeline(page);
    const rows = await page.locator('.timeline-item').count();
    await page.screenshot({ path: join(artefacts, 'timeline-begin.png') });
    say(`timeline of ${turns} turns: longest pause ${longestMs.toFixed(0)} ms, ${rows} rows exist`);

    expect(rows).toBeLessThan(100);
    expect(longestMs).toBeLessThan(500);
  }, 120_000);
});
