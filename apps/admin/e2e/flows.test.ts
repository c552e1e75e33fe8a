import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startAdmin, type RunningAdmin } from './support/admin.js';
import { noBrowser, watchPage } from './support/browser.js';
import { knownPages } from './support/pages.js';
import { goTo, makeTree, openWorld, project, runWay, type World } from './support/world.js';

// Seconds on a machine that is idle; a busy one is no reason to fail.
jest.setTimeout(600_000);

const inBrowser = noBrowser === undefined ? describe : describe.skip;

/** What changes something, by the names of its buttons, in a tree that is in mode `file`. */
const changing =
  /^(Change |Restore |Verify|Dry run|Migrate|Cut over|Roll back|Rehearse|Sync|Make a backup|Take |Look at all|Resolve)/u;

inBrowser('What an operator does in a browser', () => {
  let world: World;
  let remove: () => void;
  const others: RunningAdmin[] = [];

  beforeAll(async () => {
    const tree = makeTree({ sbis: 6, turns: 20 });
    remove = tree.remove;
    world = await openWorld(tree.home);
  });

  afterAll(async () => {
    await world.close();
    for (const admin of others) await admin.close();
    remove();
  });

  test('rehearses on a copy, and reads how long each phase took', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/migration', words: 'Not migrated' });
    await page.getByRole('region', { name: '1. Rehearse' }).getByRole('switch').click();
    await page.getByRole('button', { name: 'Rehearse', exact: true }).click();

    const panel = page.getByRole('region', { name: 'rehearse', exact: true });
    await panel.getByText('Ended').first().waitFor({ timeout: 400_000 });

    expect(await panel.innerText()).toContain('done');
    expect(await page.locator('main').innerText()).toContain('Not migrated');
  });

  test('migrates, and looks again at what is in quarantine', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/migration', words: 'Not migrated' });
    await page.getByRole('region', { name: '2. Migrate' }).getByRole('switch').click();
    const said = await runWay(page, 'Migrate', 'migrate');
    await goTo(page, { path: '/quarantine', words: 'state.json' });

    await page.getByRole('button', { name: /^Show .*state\.json/u }).click();
    await page.getByRole('button', { name: 'Look at all of them again' }).click();
    await page.getByRole('link', { name: 'Begun; watch it' }).click();
    const panel = page.getByRole('region', { name: 'quarantine-retry', exact: true });
    await panel.getByText('Ended').first().waitFor({ timeout: 120_000 });

    expect(said).toContain('done');
    expect(await panel.innerText()).not.toContain('INTERNAL');
  });

  test('changes a setting, finds it in the audit log, and takes it back with a backup', async () => {
    const { page } = world.first;
    await goTo(page, { path: '/backups', words: 'Make a backup' });
    await page.getByRole('button', { name: 'Make a backup' }).click();
    await page.locator('.verdict').getByText('Yes, the last backup can be trusted').waitFor();
    await goTo(page, { path: '/config', words: 'setting.max_turns' });
    const value = page
      .getByRole('row', { name: /setting\.max_turns/u })
      .locator('.mono')
      .last();
    const before = await value.innerText();

    await page.getByRole('button', { name: 'Change setting.max_turns' }).click();
    await page.getByLabel(/Value, as JSON/u).fill('77');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByRole('row', { name: /setting\.max_turns.*77/u }).waitFor();
    await goTo(page, { path: '/audit', words: 'setting.max_turns' });
    await goTo(page, { path: '/backups', words: 'can be trusted' });
    await page
      .getByRole('button', { name: /^Restore /u })
      .first()
      .click();
    await page.getByLabel(/to go on/u).fill(project);
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await page.getByRole('region', { name: 'restore', exact: true }).getByText('Ended').first().waitFor();
    await goTo(page, { path: '/config', words: 'setting.max_turns' });

    expect(before).not.toBe('77');
    expect(await value.innerText()).toBe(before);
  });

  test('lets nothing be changed with --read-only, on any page', async () => {
    const admin = await startAdmin(world.home, '--read-only');
    others.push(admin);
    const { page, problems } = await watchPage(world.browser, { origin: admin.origin });
    await page.goto(admin.link);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    const usable: string[] = [];
    let seen = 0;

    for (const known of knownPages) {
      await page.goto(new URL(known.path, admin.origin).href);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForFunction(() => !/Reading .* …/u.test(document.querySelector('main')!.innerText));
      for (const button of await page.locator('main').getByRole('button').all()) {
        const name = (await button.getAttribute('aria-label')) ?? (await button.innerText());
        if (!changing.test(name)) continue;
        seen += 1;
        if (await button.isEnabled()) usable.push(`${known.path}: ${name}`);
      }
    }

    expect(usable).toEqual([]);
    expect(seen).toBeGreaterThan(10);
    expect(problems).toEqual([]);
  });

  test('never wrote an error, broke the policy, or asked another machine for anything', () => {
    expect(world.first.problems).toEqual([]);
  });
});
