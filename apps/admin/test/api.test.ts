import type { StorageMode } from '@deespec/domain';
import { openStorage } from '@deespec/storage';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';

import { cleanUp, enter, homeIn, removeTemplates, start, type Browser } from './support.js';

afterEach(cleanUp);
afterAll(removeTemplates);

async function open(mode: StorageMode): Promise<Browser & { home: string }> {
  const home = await homeIn(mode);
  return { home, ...(await enter(await start(home))) };
}

async function pages(browser: Browser, query: string): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor = ''; ;) {
    const { status, json } = await browser.get(`/api/sbis?limit=2&${query}${cursor}`);
    expect(status).toBe(200);
    for (const { id } of json.items) ids.push(id);
    if (json.nextCursor === undefined) return ids;
    cursor = `&cursor=${json.nextCursor}`;
  }
}

describe.each<StorageMode>(['file', 'sqlite'])('The API in mode %s', (mode) => {
  test('lists, sorts, searches, pages and exports', async () => {
    const browser = await open(mode);
    const storage = await openStorage({ home: browser.home });
    const spec = 'A <b>heron</b> by the water\n';
    await storage.createSbi({ title: '=HYPERLINK("x"), "quoted"', spec, labels: ['a', 'b'] });
    await storage.close();

    const up = await pages(browser, 'sort=id');
    const down = await pages(browser, 'sort=id&order=desc');
    const found = (await browser.get('/api/sbis?search=HERON')).json.items;
    const csv = await browser.get('/api/sbi-export?format=csv&search=heron');
    const json = await browser.get('/api/sbi-export?format=json&sort=id');

    expect(up).toEqual([...up].sort());
    expect(down).toEqual([...up].reverse());
    expect(found).toHaveLength(1);
    expect(found[0].snippet).toEqual([
      { text: 'A <b>', match: false },
      { text: 'heron', match: true },
      { text: '</b> by the water\n', match: false },
    ]);
    expect(csv.headers['content-disposition']).toMatch(/^attachment; filename="sbis-[\d-]+\.csv"/u);
    expect(csv.text.split('\r\n')[1]).toContain(`"'=HYPERLINK(""x""), ""quoted""","a,b",0,READY,`);
    expect(JSON.parse(json.text).map(({ id }: { id: string }) => id)).toEqual(up);
  });

  test('takes whatever is written as words to search for', async () => {
    const browser = await open(mode);
    const texts = ['"', 'hello AND', 'x:*', 'NEAR(', '^', '-', "'; DROP TABLE sbi; --", '\0', '%', '🌙'];

    for (const text of texts) {
      const answer = await browser.get(`/api/sbis?search=${encodeURIComponent(text)}`);
      expect([text, answer.status]).toEqual([text, 200]);
    }
  });

  test('shows one SBI with its files, texts and history, and no file of another', async () => {
    const browser = await open(mode);
    const spec = '# <script>alert(1)</script>\n';
    const { json: made } = await browser.send('POST', '/api/sbis', {
      title: 'one',
      spec,
      labels: ['x'],
      priority: 3,
    });
    const path = `/api/sbis/${made.id}`;
    const step = {
      run: 1,
      turn: 2,
      step: 'implement',
      status: 'REVIEW',
      decision: 'NEEDS_CHANGES',
      elapsedMs: 5,
    };
    const added = await browser.send('POST', `${path}/executions`, { ...step, content: 'first\n' });
    const twice = await browser.send('POST', `${path}/executions`, { ...step, content: 'second\n' });

    const { items: executions } = (await browser.get(`${path}/executions?limit=1`)).json;
    const { items: files } = (await browser.get(`${path}/files`)).json;
    const specFile = files.find(({ role }: { role: string }) => role === 'spec');
    const text = await browser.get(`${path}/files/${specFile.id}`);
    const content = await browser.get(`${path}/files/${executions[0].fileId}`);
    const audit = (await browser.get(`/api/audit?entityId=${made.id}`)).json.items;
    const [other] = (await browser.get('/api/sbis?limit=1')).json.items;
    const elsewhere = await browser.get(`/api/sbis/${other.id}/files/${specFile.id}`);

    expect(added.status).toBe(200);
    expect([twice.status, twice.json.code]).toEqual([409, 'EXECUTION.EXISTS']);
    expect(executions[0]).toMatchObject({
      sbiId: made.id,
      step: 'implement',
      decision: 'NEEDS_CHANGES',
      elapsedMs: 5,
    });
    expect(specFile).toMatchObject({ name: 'spec.md', sizeBytes: spec.length });
    expect([text.text, text.headers['content-type']]).toEqual([spec, 'text/plain; charset=utf-8']);
    expect(text.headers['content-disposition']).toMatch(/^attachment; /u);
    expect(content.text).toBe('first\n');
    expect(audit[0]).toMatchObject({
      entityId: made.id,
      user: 'tester',
      sessionId: expect.any(String),
      requestId: expect.any(String),
    });
    expect([elsewhere.status, elsewhere.json.code]).toEqual([404, 'FILE.NOT_FOUND']);
  });

  test('lists what failed across all SBIs, newest first, a page at a time', async () => {
    const browser = await open(mode);
    const ids: string[] = [];
    for (const title of ['one', 'two'])
      ids.push((await browser.send('POST', '/api/sbis', { title })).json.id as string);
    const append = async (id: string, values: object): Promise<void> => {
      const step = { run: 1, step: 'implement', status: 'WIP', decision: 'FAILED', ...values };
      expect((await browser.send('POST', `/api/sbis/${id}/executions`, step)).status).toBe(200);
    };
    const since = new Date(Date.now() - 1_000).toISOString();
    await append(ids[0]!, { turn: 2 });
    await append(ids[1]!, { turn: 2, decision: 'NEEDS_CHANGES' });
    await append(ids[1]!, { turn: 3, decision: 'NEEDS_CHANGES', error: '<b>timed out</b>' });

    const first = (await browser.get(`/api/failures?since=${since}&limit=1`)).json;
    const next = `since=${since}&limit=1&cursor=${first.nextCursor}`;
    const second = (await browser.get(`/api/failures?${next}`)).json;
    const later = await browser.get(`/api/failures?since=2999-01-01T00:00:00Z`);

    expect(first.items).toMatchObject([
      { sbi: { id: ids[1], title: 'two' }, execution: { turn: 3, error: '<b>timed out</b>' } },
    ]);
    expect(second.items).toMatchObject([{ sbi: { title: 'one' }, execution: { decision: 'FAILED' } }]);
    expect(later.json).toEqual({ items: [] });
    expect((await browser.get('/api/failures?since=yesterday')).status).toBe(400);
    expect((await browser.get('/api/failures')).status).toBe(400);
  });

  test('changes the version that was read, and shows both when it is another one by now', async () => {
    const browser = await open(mode);
    const [{ id, revision }] = (await browser.get('/api/sbis?limit=1')).json.items;
    const patch = (body: object, ifMatch: string) =>
      browser.send('PATCH', `/api/sbis/${id}`, body, ifMatch === '' ? {} : { 'if-match': ifMatch });

    const changed = await patch({ title: 'new', priority: 9 }, `"${revision}"`);
    const stale = await patch({ title: 'newer' }, `"${revision}"`);
    const unnamed = await patch({ title: 'newer' }, '');

    expect([changed.status, changed.json.title, changed.json.priority]).toEqual([200, 'new', 9]);
    expect(changed.headers.etag).toBe(`"${changed.json.revision}"`);
    expect([stale.status, stale.json.code]).toEqual([409, 'SBI.CHANGED']);
    expect(stale.json.details).toMatchObject({
      read: { revision },
      current: { title: 'new', revision: changed.json.revision },
    });
    expect([unnamed.status, unnamed.json.code]).toEqual([400, 'USAGE.INVALID']);
    expect((await browser.get(`/api/sbis/${id}`)).json.title).toBe('new');
  });

  test('changes a setting that was read', async () => {
    const browser = await open(mode);
    const { items } = (await browser.get('/api/config')).json;
    const { key, revision } = items.find((one: { key: string }) => one.key === 'setting.max_turns');
    const put = (valueJson: string) =>
      browser.send('PUT', `/api/config/${key}`, { valueJson }, { 'if-match': revision });

    const set = await put('12');
    const stale = await put('13');

    expect([set.status, set.json.valueJson]).toEqual([200, '12']);
    expect([stale.status, stale.json.code, stale.json.details.current.valueJson]).toEqual([
      409,
      'CONFIG.CHANGED',
      '12',
    ]);
  });
});

test('200 saves at once to one SBI are all made, one after the other', async () => {
  const browser = await open('file');
  const { id } = (await browser.send('POST', '/api/sbis', { title: 'busy' })).json;
  const step = { run: 1, step: 'implement', status: 'REVIEW', decision: 'SUCCEEDED' };
  const changes = async (): Promise<number> =>
    (await browser.get(`/api/audit?entityId=${id}&limit=200`)).json.items.filter(
      ({ seq }: { seq?: number }) => seq !== undefined,
    ).length;

  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, at) =>
      browser.send('POST', `/api/sbis/${id}/executions`, { ...step, turn: at + 20 }),
    ),
  );

  expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
  const { items } = (await browser.get(`/api/sbis/${id}/executions?limit=200&cursor=1.19.eA`)).json;
  expect(items.map(({ turn }: { turn: number }) => turn)).toEqual(
    Array.from({ length: 200 }, (_, at) => at + 20),
  );
  // The newest 200; the one before them made the SBI.
  expect(await changes()).toBe(200);
  // Each is durable before the next begins.
}, 120_000);

test('of 50 changes of one version at once, one is made and the others are told of it', async () => {
  const browser = await open('file');
  const [{ id, revision }] = (await browser.get('/api/sbis?limit=1')).json.items;

  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, at) =>
      browser.send('PATCH', `/api/sbis/${id}`, { title: `title ${at}` }, { 'if-match': revision }),
    ),
  );

  const [made] = answers.filter(({ status }) => status === 200);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 49 }, () => 409)]);
  expect((await browser.get(`/api/sbis/${id}`)).json.title).toBe(made!.json.title);
});
