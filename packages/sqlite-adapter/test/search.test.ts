import { parseSbiId, putIf, pathFromText, type SbiId, type TreeStore } from '@deespec/domain';
import { applyDown, applyUp } from '@deespec/migration-engine';
import { afterAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3, { type Database } from 'better-sqlite3';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

import { checkIndex, openHandle, openSqliteIndex, requireSchema, schemaScripts } from '../src/index.js';
import { SqliteSchemaStore } from '../src/migration-store.js';
import { labelWords } from '../src/search-labels.js';
import { searchPart } from '../src/search-part.js';
import { MemoryTree } from './memory-tree.js';
import { directory, freshStorage, removeDirectories } from './support.js';

afterAll(removeDirectories);

const script = schemaScripts().find(({ name }) => name === 'text_search')!;

/** Row of the words of the first item of `databaseOf`. */
const ROW = searchPart('WIP').first;

function idOf(number: number): SbiId {
  return parseSbiId(`SBI-01M810CC00${String(number).padStart(16, '0')}`);
}

/** A database of `count` SBIs: the words "all", "even" or "odd", "late" in the last tenth, and the number of each. */
async function databaseOf(count: number): Promise<string> {
  const path = join(directory(), 'deespec.db');
  const tree = new MemoryTree();
  for (let i = 0; i < count; i += 1) {
    const title = `all ${i % 2 === 0 ? 'even' : 'odd'} n${i} ${i >= count * 0.9 ? 'late' : ''}`;
    const values = { title, status: i % 50 === 0 ? 'WIP' : 'READY', priority: count - i };
    await tree.put(`specs/sbi/${idOf(i)}/state.json`, JSON.stringify(values));
  }
  await tree.put(`specs/sbi/${idOf(3)}/implement_1.md`, 'Déjà vu');
  await tree.load(path, 'create');
  return path;
}

/** Every object and every row. */
function dump(handle: Database): unknown {
  const objects = handle
    .prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name')
    .all();
  const tables = (objects as { type: string; name: string }[]).filter(
    ({ type, name }) => type === 'table' && name !== 'sqlite_stat1' && name !== 'sqlite_stat4',
  );
  return {
    objects,
    rows: tables.map(({ name }) => handle.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all()),
  };
}

function storeOf(handle: Database): SqliteSchemaStore {
  return new SqliteSchemaStore(handle, () => new Date(0));
}

describe('The script of the search', () => {
  test('indexes the rows that are there, and its down script takes nothing else away', async () => {
    const path = await databaseOf(30);
    const handle = openHandle(path, 'write');
    applyDown(storeOf(handle), schemaScripts(), script.version - 1);
    const before = dump(handle);
    expect(requireSchema(handle, { older: 'allowed' })).toBe(script.version - 1);

    applyUp(storeOf(handle), schemaScripts());

    expect(await checkIndex(handle)).toEqual([]);
    expect(
      handle.prepare(`SELECT count(*) FROM search_text WHERE search_text MATCH 'deja AND odd'`).pluck().get(),
    ).toBe(1);
    applyDown(storeOf(handle), schemaScripts(), script.version - 1);
    expect(dump(handle)).toEqual(before);
    expect(handle.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    handle.close();
  });

  test('leaves the version before it when a text cannot be read', async () => {
    const path = await databaseOf(3);
    const handle = openHandle(path, 'write');
    applyDown(storeOf(handle), schemaScripts(), script.version - 1);
    handle.exec(`UPDATE execution SET content = 'Deja vu and more' WHERE content IS NOT NULL`);

    expect(() => applyUp(storeOf(handle), schemaScripts())).toThrow(
      expect.objectContaining({ code: 'DATABASE.CORRUPT' }),
    );

    expect(requireSchema(handle, { older: 'allowed' })).toBe(script.version - 1);
    handle.close();
  });
});

describe('A search in a large database', () => {
  test('gives the same pages whichever way it takes', async () => {
    const count = 1_300;
    const opened = await openSqliteIndex(await databaseOf(count));
    const { index } = opened;
    const numbers = async (search: string, filter: object = {}): Promise<number[]> =>
      (await index.listSbis({ search, ...filter })).map(({ id }) => Number(id.slice(14)));
    const upTo = (length: number, number: (i: number) => number) =>
      Array.from({ length }, (_, i) => number(i));

    expect(await numbers('all', { limit: 50 })).toEqual(upTo(50, (i) => i));
    expect(await numbers('all', { limit: 50, after: idOf(999) })).toEqual(upTo(50, (i) => 1_000 + i));
    expect(await numbers('all', { limit: 1_000, after: idOf(999) })).toEqual(upTo(300, (i) => 1_000 + i));
    expect(await numbers('all', { status: 'WIP', limit: 20 })).toEqual(upTo(20, (i) => i * 50));
    expect(await numbers('all', { order: 'next', limit: 3 })).toEqual([1_299, 1_298, 1_297]);
    expect(await numbers('all odd', { limit: 3, after: idOf(7) })).toEqual([9, 11, 13]);
    expect(await numbers('late', { limit: 3 })).toEqual([1_170, 1_171, 1_172]);
    expect(await numbers('n77')).toEqual([77]);
    expect(await numbers('late n77')).toEqual([]);
    await opened.close();
  });
});

/** The rows alone that a search reads: every sixth item has a word of its own. */
async function rowsOf(count: number): Promise<string> {
  const path = join(directory(), 'deespec.db');
  await new MemoryTree().load(path, 'create');
  const handle = openHandle(path, 'write');
  const at = '2026-01-02T03:04:05.000000000Z';
  const addItem = handle.prepare(
    `INSERT INTO sbi (id, task_id, priority, status, created_at, updated_at, metadata, path)
     VALUES (:id, :id, 0, 'READY', :at, :at, '{}', CAST(:id AS BLOB))`,
  );
  const { first } = searchPart('READY');
  const addRow = handle.prepare('INSERT INTO search_item (id, sbi_id, basis) VALUES (?, ?, ?)');
  const addWords = handle.prepare('INSERT INTO search_text (rowid, text) VALUES (?, ?)');
  handle.transaction(() => {
    for (let i = 0; i < count; i += 1) {
      addItem.run({ id: idOf(i), at });
      addRow.run(first + i, idOf(i), '0'.repeat(64));
      addWords.run(first + i, i % 6 === 0 ? 'all sixth' : 'all');
    }
  })();
  handle.close();
  return path;
}

test('pages of a word that a sixth of many items have are those of the list', async () => {
  const opened = await openSqliteIndex(await rowsOf(6_600));
  const found: string[] = [];
  for (let page = ['']; page.length > 0; found.push(...page)) {
    const after = found.length === 0 ? {} : { after: parseSbiId(found.at(-1)!) };
    const list = await opened.index.listSbis({ search: 'sixth', ...after, limit: 300 });
    page = list.map(({ id }) => id);
  }

  expect(found).toEqual(Array.from({ length: 1_100 }, (_, i) => idOf(i * 6)));
  await opened.close();
});

describe('The index of words', () => {
  const put = (store: TreeStore, name: string, text: string) => {
    const path = pathFromText(`specs/sbi/${idOf(0)}/${name}`);
    const version = { path, kind: 'file', mode: 0o644, bytes: Buffer.from(text) } as const;
    return putIf(store, version, store.find(path)?.sha256);
  };

  test('is written with its texts, not when something else of the item changes, and copied with the database', async () => {
    const { storage, path, close } = await freshStorage();
    for (const name of ['specs', 'specs/sbi', `specs/sbi/${idOf(0)}`]) {
      const version = {
        path: pathFromText(name),
        kind: 'directory',
        mode: 0o755,
        bytes: Buffer.alloc(0),
      } as const;
      await putIf(storage.store, version, undefined);
    }
    await put(storage.store, 'state.json', '{"status":"WIP"}');
    await put(storage.store, 'spec.md', 'heron');
    const origins = (): unknown[] => {
      const handle = openHandle(path, 'read');
      const rows = handle.prepare('SELECT id, origin FROM search_text_docsize').all();
      handle.close();
      return rows;
    };
    const before = origins();
    await put(storage.store, 'state.json', '{"status":"WIP","priority":3}');
    await put(storage.store, 'notes.txt', 'ibis');
    expect(origins()).toEqual(before);
    await put(storage.store, 'spec.md', 'stork');
    expect(origins()).not.toEqual(before);

    const copy = join(directory(), 'copy.db');
    const handle = openHandle(path, 'read');
    handle.pragma('query_only = OFF');
    handle.prepare('VACUUM INTO ?').run(copy);
    handle.close();
    const copied = await openSqliteIndex(copy);
    const { index } = copied;
    expect((await index.listSbis({ search: 'stork' })).map(({ id }) => id)).toEqual([idOf(0)]);
    expect(await index.listSbis({ search: 'heron' })).toEqual([]);
    await copied.close();
    await close();
  });

  test('has the labels of its item, which no search finds as words, and follows them', async () => {
    const { storage, path, close } = await freshStorage();
    for (const name of ['specs', 'specs/sbi', `specs/sbi/${idOf(0)}`]) {
      const version = { path: pathFromText(name), kind: 'directory', mode: 0o755 } as const;
      await putIf(storage.store, { ...version, bytes: Buffer.alloc(0) }, undefined);
    }
    await put(storage.store, 'spec.md', 'heron');
    for (const label of ['docs', 'docs,old', undefined, 'été, old']) {
      await put(storage.store, 'state.json', JSON.stringify({ status: 'READY', label }));
      const handle = openHandle(path, 'read');
      const words = (label ?? 'none').split(',').flatMap((one) => labelWords(one));
      const count = handle.prepare('SELECT count(*) FROM search_text WHERE search_text MATCH ?').pluck();
      expect([label, count.get(words.map((word) => `"${word}"`).join(' AND '))]).toEqual([
        label,
        label === undefined ? 0 : 1,
      ]);
      expect(await checkIndex(handle)).toEqual([]);
      handle.close();
    }
    expect(await storage.index.listSbis({ search: 'docs' })).toEqual([]);
    await close();
  });

  test('is made anew with the labels when a database of version 9 is brought up to date', async () => {
    const path = join(directory(), 'deespec.db');
    const tree = new MemoryTree();
    await tree.put(`specs/sbi/${idOf(0)}/state.json`, '{"status":"WIP","title":"heron","label":"docs,old"}');
    await tree.put(`specs/sbi/${idOf(1)}/state.json`, '{"status":"WIP","title":"heron"}');
    await tree.load(path, 'create');
    const handle = openHandle(path, 'write');
    applyDown(storeOf(handle), schemaScripts(), 9);
    // What a program of version 9 leaves: words without labels.
    handle.exec(
      `DELETE FROM search_text; INSERT INTO search_text (rowid, text) SELECT id, 'heron' FROM search_item`,
    );

    applyUp(storeOf(handle), schemaScripts());

    expect(await checkIndex(handle)).toEqual([]);
    handle.close();
    const opened = await openSqliteIndex(path);
    const found = await opened.index.listSbis({ search: 'heron', label: 'old' });
    expect(found.map(({ id }) => id)).toEqual([idOf(0)]);
    await opened.close();
  });

  test('follows the status of its item to the words of the others that have it', async () => {
    const { storage, path, close } = await freshStorage();
    for (const name of ['specs', 'specs/sbi', `specs/sbi/${idOf(0)}`]) {
      const version = { path: pathFromText(name), kind: 'directory', mode: 0o755 } as const;
      await putIf(storage.store, { ...version, bytes: Buffer.alloc(0) }, undefined);
    }
    await put(storage.store, 'state.json', '{"status":"WIP"}');
    await put(storage.store, 'spec.md', 'heron');
    for (const status of ['DONE', 'READY', 'DONE'] as const) {
      await put(storage.store, 'state.json', JSON.stringify({ status }));
      const handle = openHandle(path, 'read');
      const { first } = searchPart(status);
      const ids = (sql: string): unknown[] => handle.prepare(sql).pluck().all();
      expect(ids('SELECT id FROM search_item')).toEqual([first]);
      expect(ids(`SELECT rowid FROM search_text WHERE search_text MATCH 'heron'`)).toEqual([first]);
      expect(await checkIndex(handle)).toEqual([]);
      handle.close();
    }
    await close();
  });

  test.each([
    [
      'words of another text',
      `UPDATE search_item SET basis = '${'0'.repeat(64)}' WHERE id = ${ROW}`,
      'search_item',
    ],
    [
      'another label',
      `UPDATE search_item SET label_basis = '${'0'.repeat(64)}' WHERE id = ${ROW}`,
      'search_item',
    ],
    ['no words', `DELETE FROM search_item WHERE id = ${ROW}`, 'search_item'],
    ['a row without words', `DELETE FROM search_text WHERE rowid = ${ROW}`, 'search_text'],
    [
      'words among those of another status',
      `DELETE FROM search_text WHERE rowid = ${ROW};
       INSERT INTO search_text (rowid, text) VALUES (${searchPart('DONE').first}, 'x');
       UPDATE search_item SET id = ${searchPart('DONE').first} WHERE id = ${ROW}`,
      'search_item',
    ],
    ['words of nobody', `INSERT INTO search_text (rowid, text) VALUES (99, 'x')`, 'search_text'],
  ])('with %s is found by the check', async (_, sql, where) => {
    const path = await databaseOf(2);
    const copy = join(directory(), 'deespec.db');
    copyFileSync(path, copy);
    const editor = new BetterSqlite3(copy);
    editor.exec(sql);
    editor.close();

    const handle = openHandle(copy, 'read');
    const found = await checkIndex(handle);
    handle.close();

    expect(found.length).toBeGreaterThan(0);
    expect(found.every((difference) => difference.where.startsWith('search_'))).toBe(true);
    expect(found[0]!.where.startsWith(where)).toBe(true);
  });
});
