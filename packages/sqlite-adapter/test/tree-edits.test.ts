import { isStorageError, pathFromText, putIf, type TreeEdit, type TreePath } from '@deespec/domain';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { createHash, Hash } from 'node:crypto';

import { checkIndex, openHandle, openSqliteStorage } from '../src/index.js';
import type { SqliteTreeStore } from '../src/sqlite-tree-store.js';
import { select } from './memory-tree.js';
import { a, b } from './random-edits.js';
import { closeAndCheck, emptyDatabase, freshStorage, removeDirectories } from './support.js';

afterAll(removeDirectories);

const at = pathFromText;
const JOURNAL = at('var/journal.ndjson');

function directoryEdit(path: string): TreeEdit {
  return {
    op: 'put',
    version: { path: at(path), kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) },
    expected: undefined,
  };
}

function putEdit(path: string, text: string, expected?: string): TreeEdit {
  return {
    op: 'put',
    version: { path: at(path), kind: 'file', mode: 0o644, bytes: Buffer.from(text) },
    expected,
  };
}

const append = (store: SqliteTreeStore, line: string) =>
  store.edit(() => ({ edits: [{ op: 'append', path: JOURNAL, line: Buffer.from(line) }] }));

function stepLine(id: string, turn: number): string {
  const artifacts = [`.deespec/specs/sbi/${id}/implement_${turn}.md`];
  return `${JSON.stringify({ artifacts, decision: 'PENDING', step: 'implement', ts: '2026-01-02T03:04:05Z', turn })}\n`;
}

const content = (store: SqliteTreeStore, path: TreePath) => Buffer.concat([...store.read(path)]);

async function indexDifferences(path: string): Promise<readonly unknown[]> {
  const handle = openHandle(path, 'read');
  try {
    return await checkIndex(handle);
  } finally {
    handle.close();
  }
}

/** Layout B with two SBIs and a journal. */
async function journalStorage(text: string) {
  const opened = await freshStorage();
  const homes = [a, b].flatMap((id) => [
    directoryEdit(`specs/sbi/${id}`),
    putEdit(`specs/sbi/${id}/meta.yml`, `id: ${id}\n`),
  ]);
  const roots = ['specs', 'specs/sbi', 'var'].map(directoryEdit);
  await opened.storage.store.edit(() => ({ edits: [...roots, ...homes, putEdit(JOURNAL, text)] }));
  return opened;
}

describe('An edit', () => {
  test('that cannot be made leaves no row of any table', async () => {
    const { storage, path, close } = await journalStorage(stepLine(a, 2));
    const tables = [
      'tree_entry',
      'content',
      'execution',
      'audit_log',
      'outbox',
      'journal_event',
      'storage_state',
    ];
    const rows = () => tables.map((table) => select(path, `SELECT * FROM ${table}`));
    const before = rows();

    const failed = storage.store.edit(() => ({
      edits: [
        { op: 'append', path: JOURNAL, line: Buffer.from(stepLine(b, 2)) },
        putEdit('setting.json', '{"a":1}'),
        { op: 'discard', path: at(`specs/sbi/${a}`) },
        putEdit('setting.json', '{}'),
      ],
      audit: [{ timestamp: '2026-01-02T03:04:05.000000000Z', entityType: 'x', entityId: 'x', action: 'x' }],
    }));

    await expect(failed).rejects.toMatchObject({ code: 'FILE.CHANGED' });
    expect(rows()).toEqual(before);
    await close();
  });

  test('by one connection loses nothing of those by another', async () => {
    const path = emptyDatabase();
    const storages = [
      await openSqliteStorage({ path, owes: true }),
      await openSqliteStorage({ path, owes: true }),
    ];
    await putIf(
      storages[0]!.store,
      { path: at('n'), kind: 'file', mode: 0o644, bytes: Buffer.from('0') },
      undefined,
    );
    const edits = Array.from({ length: 60 }, (_, n) => {
      const { store } = storages[n % 2]!;
      return store.edit((tree) => {
        const next = Number(Buffer.concat([...tree.read(at('n'))]).toString()) + 1;
        const line: TreeEdit = { op: 'append', path: at('log.ndjson'), line: Buffer.from(`${next}\n`) };
        const note = {
          timestamp: '2026-01-02T03:04:05.000000000Z',
          entityType: 'x',
          entityId: 'x',
          action: `${next}`,
        };
        return { edits: [putEdit('n', String(next), tree.find(at('n'))!.sha256), line], audit: [note] };
      });
    });

    await Promise.all(edits);

    const numbers = Array.from({ length: 60 }, (_, n) => n + 1);
    expect(content(storages[0]!.store, at('n')).toString()).toBe('60');
    expect(content(storages[1]!.store, at('log.ndjson')).toString()).toBe(`${numbers.join('\n')}\n`);
    expect([...storages[0]!.store.auditSince(0)].map(({ seq }) => seq)).toEqual(numbers);
    await storages[1]!.close();
    await closeAndCheck(storages[0]!, path);
  });
});

describe('The journal in the database', () => {
  test('is read on by the lines that are appended, whatever its last line', async () => {
    const { storage, path, close } = await journalStorage(`${stepLine(a, 2)}${stepLine(b, 2).trimEnd()}`);
    const events = 'SELECT sbi_id AS id, line FROM journal_event ORDER BY line';
    expect(select(path, 'SELECT lines, is_clean AS clean FROM journal_state')).toEqual([
      { lines: 1, clean: 1 },
    ]);

    await append(storage.store, stepLine(a, 3));
    await append(storage.store, 'garbage\n');
    await append(storage.store, stepLine(b, 3));

    expect(select(path, events)).toEqual([
      { id: a, line: 1 },
      { id: b, line: 2 },
      { id: a, line: 3 },
      { id: b, line: 5 },
    ]);
    expect(select(path, 'SELECT lines, is_clean AS clean FROM journal_state')).toEqual([
      { lines: 5, clean: 0 },
    ]);
    expect(await indexDifferences(path)).toEqual([]);
    await close();
  });

  test('forgets the event of a last line that another one took the place of', async () => {
    const first = stepLine(a, 2);
    const { storage, path, close } = await journalStorage(`${first}${stepLine(b, 2).trimEnd()}`);
    const { store, index } = storage;
    expect(await index.listExecutions({})).toHaveLength(2);

    await store.edit((tree) => ({
      edits: [putEdit(JOURNAL, first + stepLine(a, 3), tree.find(JOURNAL)!.sha256)],
    }));

    expect((await index.listExecutions({})).map(({ sbiId, turn }) => `${sbiId} ${turn}`)).toEqual([
      `${a} 2`,
      `${a} 3`,
    ]);
    expect(await indexDifferences(path)).toEqual([]);
    await close();
  });

  test('is parsed anew when what is stored is not a parse of it', async () => {
    const { storage, path, close } = await journalStorage(stepLine(a, 2));
    const editor = openHandle(path, 'write');
    editor.exec(`DELETE FROM journal_event; DELETE FROM journal_state`);
    editor.close();
    expect(await indexDifferences(path)).toEqual([]);

    await append(storage.store, stepLine(b, 2));

    expect(select(path, 'SELECT count(*) AS number FROM journal_event')).toEqual([{ number: 2 }]);
    expect(await indexDifferences(path)).toEqual([]);
    await close();
  });

  test.each([
    [
      'an event',
      'UPDATE journal_event SET event = replace(event, \'"turn":2\', \'"turn":3\')',
      'journal_event',
    ],
    ['the line of an event', 'UPDATE journal_event SET line = 9', 'journal_event'],
    ['a lost event', 'DELETE FROM journal_event', 'journal_event'],
    ['a state', 'UPDATE journal_state SET bytes = bytes - 1', 'journal_state'],
    ['a lost state', 'DELETE FROM journal_state', 'journal_event'],
  ])('is found out when somebody changed %s', async (_, sql, where) => {
    const { path, close } = await journalStorage(stepLine(a, 2));
    const editor = openHandle(path, 'write');
    expect(editor.prepare(sql).run().changes).toBe(1);
    editor.close();

    expect(await indexDifferences(path)).toContainEqual(expect.objectContaining({ where }));
    await close();
  });

  test('grows from rows into chunks, and nothing but what is added is hashed', async () => {
    const { storage, path, close } = await journalStorage('');
    const { store } = storage;
    const line = `${JSON.stringify({ text: 'x'.repeat(200_000) })}\n`;
    let whole = '';
    const hashed: number[] = [];
    const original = Reflect.get(Hash.prototype, 'update') as (this: Hash, data: Buffer) => Hash;
    const update = jest.spyOn(Hash.prototype, 'update').mockImplementation(function (
      this: Hash,
      data: unknown,
    ) {
      hashed.push((data as Buffer).length);
      return original.call(this, data as Buffer);
    });
    for (let n = 0; n < 12; n++) {
      await append(store, line);
      whole += line;
    }
    update.mockRestore();

    const sum = hashed.reduce((total, bytes) => total + bytes, 0);
    expect(sum).toBeGreaterThanOrEqual(whole.length);
    expect(sum).toBeLessThan(1.5 * whole.length);
    expect(content(store, JOURNAL).equals(Buffer.from(whole))).toBe(true);
    expect(store.find(JOURNAL)!.sha256).toBe(createHash('sha256').update(whole).digest('hex'));
    const sizes = select(path, 'SELECT octet_length(bytes) AS size FROM content_chunk ORDER BY seq');
    expect(sizes.length).toBeLessThan(9);
    await close();
  });
});

describe('The next item', () => {
  test('comes by priority, 0 last, then by time and id, from an index', async () => {
    const { storage, path, close } = await freshStorage();
    const ids = ['A', 'B', 'C', 'D'].map((end) => `SBI-01M810CC01J2AAPQZVYRK1YM0${end}`);
    const priorities = [0, 2, 1, 2];
    const roots = ['specs', 'specs/sbi'].map(directoryEdit);
    const homes = ids.flatMap((id, n) => [
      directoryEdit(`specs/sbi/${id}`),
      putEdit(
        `specs/sbi/${id}/state.json`,
        JSON.stringify({
          status: 'READY',
          priority: priorities[n],
          created_at: `2026-01-02T03:04:0${9 - n}Z`,
        }),
      ),
    ]);
    await storage.store.edit(() => ({ edits: [...roots, ...homes] }));
    const [first, second, third, fourth] = [ids[2], ids[3], ids[1], ids[0]];
    const list = async (filter: object) =>
      (await storage.index.listSbis({ status: 'READY', order: 'next', ...filter })).map(({ id }) => id);

    expect(await list({})).toEqual([first, second, third, fourth]);
    expect(await list({ limit: 1 })).toEqual([first]);
    expect(await list({ after: second })).toEqual([third, fourth]);
    const plan = select(
      path,
      `EXPLAIN QUERY PLAN SELECT "s"."id" FROM "sbi" "s" WHERE "s"."status" = 'READY'
       ORDER BY CASE "s"."priority" WHEN 0 THEN 999 ELSE "s"."priority" END ASC, "s"."created_at", "s"."id" LIMIT 1`,
    );
    expect(plan).toMatchObject([{ detail: expect.stringContaining('idx_sbi_next (status=?)') }]);
    await close();
  });
});

test('An edit that waits too long for another process says so', async () => {
  const { storage, path, close } = await freshStorage();
  const other = openHandle(path, 'write');
  other.exec('BEGIN IMMEDIATE');
  const failed = await storage.store
    .edit(() => ({ edits: [putEdit('a', 'x')] }))
    .catch((error: unknown) => error);
  other.exec('ROLLBACK');
  other.close();

  expect(isStorageError(failed, 'SQLITE.BUSY')).toBe(true);
  await close();
}, 10_000);
