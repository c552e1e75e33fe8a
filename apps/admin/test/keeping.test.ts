import { migrate, openStorage } from '@deespec/storage';
import { damageTree } from '@deespec/trees';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cleanUp, enter, fileHome, homeIn, jobEnd, removeTemplates, start } from './support.js';

jest.setTimeout(60_000);

afterEach(cleanUp);
afterAll(removeTemplates);

test('a conflict is shown with both versions, and resolved by whoever types its path', async () => {
  const home = await homeIn('sqlite');
  const storage = await openStorage({ home });
  const [sbi] = await storage.listSbis({ limit: 1 });
  const path = `specs/sbi/${sbi!.id}/state.json`;
  const byHand = readFileSync(join(home, path), 'utf8').replace('{', '{"by": "hand",');
  writeFileSync(join(home, path), byHand);
  await storage.updateSbi(sbi!, { priority: 77 });
  await storage.settled();
  await storage.close();
  const browser = await enter(await start(home));

  const { items, count } = (await browser.get('/api/conflicts')).json;
  const one = `/api/conflicts/${items[0].id}`;
  const detail = (await browser.get(one)).json;
  const [kept, present] = [await browser.get(`${one}/kept`), await browser.get(`${one}/present`)];
  const untyped = await browser.send('POST', `${one}/resolve`, { take: 'file', confirm: 'something' });
  const resolved = await browser.send('POST', `${one}/resolve`, { take: 'file', confirm: path });
  const [row] = (await browser.get('/api/audit?limit=1')).json.items;

  expect([count, items[0].path, items[0].store]).toEqual([1, path, 'files']);
  expect(detail.present.sizeBytes).toBe(present.bytes.length);
  expect(kept.text).toBe(byHand);
  expect(JSON.parse(present.text).priority).toBe(77);
  expect([untyped.status, untyped.json.code]).toEqual([400, 'USAGE.INVALID']);
  expect(resolved.json).toEqual({ id: items[0].id, take: 'file', written: true });
  expect(row).toMatchObject({ action: 'resolve', user: 'tester', entityId: path });
  expect((await browser.get('/api/conflicts')).json.count).toBe(0);
  expect(readFileSync(join(home, path), 'utf8')).toBe(byHand);
});

test('what is in quarantine is shown with its rule and bytes, by an id that is no path, and tried again', async () => {
  const home = fileHome(4);
  const damaged = damageTree(home, 'torn-state');
  const bytes = readFileSync(join(home, damaged));
  await migrate({ home, quarantine: true });
  const browser = await enter(await start(home));

  const { items } = (await browser.get('/api/quarantine')).json;
  const [{ id }] = items;
  const detail = (await browser.get(`/api/quarantine/${id}`)).json;
  const content = await browser.get(`/api/quarantine/${id}/content`);
  const guessed = await browser.get(`/api/quarantine/${'0'.repeat(32)}`);
  const job = (await browser.send('POST', '/api/jobs', { kind: 'quarantine-retry', dryRun: true })).json;
  const tried = await jobEnd(browser, job.id);
  const findings = (await browser.get('/api/findings')).json;

  expect(items[0].path).toBe(damaged);
  expect(detail.rules[0]).toMatchObject({
    rule: detail.rule,
    why: expect.any(String),
    fix: expect.any(String),
  });
  expect(content.bytes.equals(bytes)).toBe(true);
  expect([guessed.status, guessed.json.code]).toEqual([404, 'QUARANTINE.NOT_FOUND']);
  expect(tried).toMatchObject({ state: 'done', report: { left: items.length } });
  expect(findings.rules.length).toBeGreaterThan(10);
  expect(findings.rules[0]).toMatchObject({
    rule: expect.any(String),
    why: expect.any(String),
    fix: expect.any(String),
  });
});
