import { openStorage, readStatus, verify } from '@deespec/storage';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Listener } from './events.js';
import { cleanUp, enter, fileHome, homeIn, jobEnd, removeTemplates, start } from './support.js';

// Each job is a process that loads the whole storage.
jest.setTimeout(60_000);

afterEach(cleanUp);
afterAll(removeTemplates);

test('a migration is tried, run and verified from the browser, with what it does on the way', async () => {
  const home = fileHome(5);
  const server = await start(home);
  const browser = await enter(server);
  const events = await Listener.listen(server.port, browser);

  const tried = await browser.send('POST', '/api/jobs', { kind: 'migrate', dryRun: true });
  const second = await browser.send('POST', '/api/jobs', { kind: 'verify' });
  const dryRun = await jobEnd(browser, tried.json.id);
  const unconfirmed = await browser.send('POST', '/api/jobs', { kind: 'migrate', confirm: 'other' });
  const run = await browser.send('POST', '/api/jobs', { kind: 'migrate', confirm: 'proj' });
  const migrated = await jobEnd(browser, run.json.id);

  expect([tried.status, tried.json.state, tried.json.command]).toEqual([
    200,
    'running',
    'deespec migrate --dry-run',
  ]);
  expect([second.status, second.json.code]).toEqual([409, 'JOB.RUNNING']);
  expect([unconfirmed.status, unconfirmed.json.code]).toEqual([400, 'USAGE.INVALID']);
  expect(dryRun).toMatchObject({ state: 'done', dryRun: true, report: { outcome: 'created', dryRun: true } });
  expect(migrated).toMatchObject({
    state: 'done',
    report: { outcome: 'created', equation: { holds: true } },
  });
  expect((await verify({ home, checkAll: true })).ok).toBe(true);
  const isOf = ({ name, data }: { name: string; data: { id: string } }): boolean =>
    name === 'job' && data.id === run.json.id;
  await events.find((one) => isOf(one) && one.data.state === 'done');
  const phases = new Set(events.heard.filter(isOf).flatMap(({ data }) => data.progress?.phase ?? []));
  expect([...phases]).toEqual(expect.arrayContaining(['load', 'verify']));
  const status = await events.find(({ name, data }) => name === 'change' && data.areas.includes('status'));
  expect(status.data.areas).not.toContain('conflicts');
  expect((await browser.get('/api/jobs')).json.items.map(({ kind }: { kind: string }) => kind)).toEqual([
    'migrate',
    'migrate',
  ]);
});

test('a backup is made, verified and restored; the restore asks for the name of the project', async () => {
  const home = await homeIn('sqlite');
  const browser = await enter(await start(home));
  const [{ id, title, revision }] = (await browser.get('/api/sbis?limit=1')).json.items;

  const note = 'before it\'s "new"';
  const made = await jobEnd(
    browser,
    (await browser.send('POST', '/api/jobs', { kind: 'backup-create', note })).json.id,
  );
  const [backup] = (await browser.get('/api/backups')).json.items;
  await browser.send('PATCH', `/api/sbis/${id}`, { title: 'after the backup' }, { 'if-match': revision });
  const restore = { kind: 'restore', backupId: backup.id };
  const proven = await jobEnd(
    browser,
    (await browser.send('POST', '/api/jobs', { kind: 'backup-verify', backupId: backup.id })).json.id,
  );
  const refused = await browser.send('POST', '/api/jobs', restore);
  const path = await browser.send('POST', '/api/jobs', {
    ...restore,
    backupId: '../../other.db',
    confirm: 'proj',
  });
  const restored = await jobEnd(
    browser,
    (await browser.send('POST', '/api/jobs', { ...restore, confirm: 'proj' })).json.id,
  );

  expect(made).toMatchObject({ state: 'done', report: { id: backup.id } });
  expect(backup).toMatchObject({ state: 'verified', note, mode: 'sqlite' });
  expect(proven).toMatchObject({ state: 'done', report: { ok: true } });
  expect([refused.status, path.status]).toEqual([400, 400]);
  expect(restored).toMatchObject({ state: 'done', report: { mode: 'sqlite' } });
  // The server let go of the database that was replaced, and opened the one that took its place.
  expect((await browser.get(`/api/sbis/${id}`)).json.title).toBe(title);
});

test('a cut-over and a rollback run with their steps while the page stays, and what was written stays', async () => {
  const home = fileHome(3);
  const server = await start(home);
  const browser = await enter(server);
  const run = async (request: object) => {
    const { status, json } = await browser.send('POST', '/api/jobs', { confirm: 'proj', ...request });
    expect([status, json.code]).toEqual([200, undefined]);
    return jobEnd(browser, json.id);
  };

  const over = await run({ kind: 'cutover' });
  const { json: made } = await browser.send('POST', '/api/sbis', { title: 'in between' });
  const back = await run({ kind: 'rollback' });

  expect([over.state, over.error]).toEqual(['done', undefined]);
  expect(over.report).toMatchObject({ outcome: 'done', to: 'sqlite' });
  expect(over.steps.map(({ state }: { state: string }) => state)).toEqual(over.steps.map(() => 'done'));
  expect(over.steps.length).toBeGreaterThan(5);
  expect(back.report).toMatchObject({ outcome: 'done', to: 'file' });
  expect((await browser.get('/api/status')).json.mode).toBe('file');
  expect((await browser.get(`/api/sbis/${made.id}`)).json.title).toBe('in between');
});

test('a job that is cancelled, or whose server ends, leaves the tree as it was', async () => {
  const home = fileHome(5);
  const started = await start(home);
  const browser = await enter(started);

  const { json: job } = await browser.send('POST', '/api/jobs', { kind: 'rehearse', writes: 50_000 });
  const cancelled = await browser.send('POST', `/api/jobs/${job.id}/cancel`);
  const ended = await jobEnd(browser, job.id);
  await browser.send('POST', '/api/jobs', { kind: 'rehearse', writes: 50_000 });
  await started.admin.close();

  expect(cancelled.json.stopping).toBe(true);
  expect(ended).toMatchObject({ state: 'cancelled', error: { code: 'INTERRUPTED' } });
  expect(await readStatus({ home })).toMatchObject({
    database: { state: 'absent' },
    unfinishedRuns: [],
    lock: { held: false },
  });
});

test('while the tree is stopped everything can be read, and a change is refused for now', async () => {
  const home = await homeIn('sqlite');
  const { stopTree } = await import('@deespec/storage');
  const browser = await enter(await start(home));
  const [{ id, revision }] = (await browser.get('/api/sbis?limit=1')).json.items;
  await stopTree({ home, all: true });

  const change = await browser.send('PATCH', `/api/sbis/${id}`, { title: 'x' }, { 'if-match': revision });
  const status = await browser.get('/api/status');

  expect([change.status, change.json.code, change.json.retryable]).toEqual([423, 'STORAGE.STOPPED', true]);
  expect(status.json.stoppedSince).toBeDefined();
  expect((await browser.get(`/api/sbis/${id}`)).status).toBe(200);
});

test('what another program does is told to whoever watches, and the end of the session, too', async () => {
  let nowMs = Date.now();
  const home = await homeIn('file');
  const server = await start(home, { now: () => new Date(nowMs) });
  const browser = await enter(server);
  const events = await Listener.listen(server.port, browser);
  const hello = await events.find(({ name }) => name === 'hello');
  // The first look at the tree is what later ones are held against.
  await new Promise((resolve) => setTimeout(resolve, 1_500));

  const storage = await openStorage({ home });
  await storage.createSbi({ title: 'by another' });
  await storage.close();
  const changed = await events.find(({ name, data }) => name === 'change' && data.areas.includes('sbis'));
  writeFileSync(join(home, 'setting.json'), '{"storage_mode":"file"}\n');
  await events.find(({ name, data }) => name === 'change' && data.areas.includes('config'));
  nowMs += 1_900_000;
  await events.ended();

  expect(hello.data.csrfToken).toBeUndefined();
  expect(changed.data.areas).toContain('audit');
  expect(events.heard.at(-1)).toEqual({ name: 'bye', data: { reason: 'session' } });
});
