import { CHUNK_BYTES, pathFromText, type SbiId } from '@deespec/domain';
import { afterAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { StoredTree } from '../src/index.js';
import { MemoryTree, select } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

const id = 'SBI-01M810CC01J2AAPQZVYRK1YMJR' as SbiId;
const home = `specs/sbi/${id}`;

const newPath = () => join(directory(), 'deespec.db');

/** One SBI of layout A with step files of these contents. */
async function treeWith(files: Readonly<Record<string, string | Buffer>>): Promise<MemoryTree> {
  const tree = new MemoryTree();
  await tree.put(`${home}/state.json`, '{"status":"WIP"}');
  for (const [name, content] of Object.entries(files)) await tree.put(`${home}/${name}`, content);
  return tree;
}

function chunksOf(path: string, entry: string): Buffer[] {
  const stored = StoredTree.openReader(path);
  try {
    return [...stored.read(pathFromText(entry))].map((chunk) => Buffer.from(chunk));
  } finally {
    stored.close();
  }
}

const stepColumns = `SELECT turn, step, typeof(content) AS type, octet_length(content) AS size FROM execution ORDER BY turn`;

/** Content of every path as the database says: `path -> text`. */
function texts(path: string): Record<string, string> {
  const sql = `SELECT CAST(path AS TEXT) AS path FROM tree_entry WHERE kind = 'f'`;
  const paths = (select(path, sql) as { path: string }[]).map((row) => row.path);
  return Object.fromEntries(paths.map((one) => [one, Buffer.concat(chunksOf(path, one)).toString()]));
}

/** Journal lines of layout B. */
function journal(lines: readonly { run?: 'pick'; turn: number; step: string; file?: string }[]): string {
  return lines
    .map(({ run, turn, step, file }, at) => {
      const artifacts = run === 'pick' ? [{ type: 'pick', id, task_id: id }] : [`.deespec/${home}/${file}`];
      const ts = `2026-01-02T03:04:${String(at).padStart(2, '0')}Z`;
      const line = { artifacts, decision: 'PENDING', elapsed_ms: 1, error: '', step, ts, turn };
      return `${JSON.stringify(line)}\n`;
    })
    .join('');
}

describe('Contents', () => {
  test.each([0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3.5 * CHUNK_BYTES])(
    'of %p bytes are stored and streamed back exactly, in chunks of at most 1 MiB',
    async (size) => {
      const path = newPath();
      const bytes = Buffer.alloc(size, 'no period of a chunk: 1234567');
      const tree = await treeWith({ 'implement_1.md': bytes, 'notes.bin': bytes });

      await tree.load(path, 'create');

      for (const name of ['implement_1.md', 'notes.bin']) {
        const chunks = chunksOf(path, `${home}/${name}`);
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
        expect(Math.max(0, ...chunks.map(({ length }) => length))).toBeLessThanOrEqual(CHUNK_BYTES);
      }
    },
  );

  test('of a step lie with their execution: TEXT when they are text, else BLOB, never NULL when empty', async () => {
    const path = newPath();
    const tree = await treeWith({
      'plan_1.md': 'text é 🚀\r\n',
      'implement_2.md': Buffer.from([0x61, 0xff, 0x62]),
      'test_3.md': 'nul\0byte',
      'review_4.md': '',
      'done_5.md': '\ufeffmark',
    });

    await tree.load(path, 'create');

    expect(select(path, stepColumns)).toEqual([
      { turn: 1, step: 'plan', type: 'text', size: 14 },
      { turn: 2, step: 'implement', type: 'blob', size: 3 },
      { turn: 3, step: 'test', type: 'blob', size: 8 },
      { turn: 4, step: 'review', type: 'text', size: 0 },
      { turn: 5, step: 'done', type: 'text', size: 7 },
    ]);
    expect(select(path, `SELECT count(*) AS number FROM content`)).toEqual([{ number: 1 }]);
  });

  test('of a step above 1 MiB lie in chunks beside a row without content', async () => {
    const path = newPath();
    const tree = await treeWith({ 'implement_1.md': Buffer.alloc(CHUNK_BYTES + 1, 'x') });

    await tree.load(path, 'create');

    expect(select(path, stepColumns)).toEqual([{ turn: 1, step: 'implement', type: 'null', size: null }]);
    expect(select(path, 'SELECT seq, length(bytes) AS size FROM content_chunk ORDER BY seq')).toEqual([
      { seq: 0, size: CHUNK_BYTES },
      { seq: 1, size: 1 },
    ]);
  });

  test('of a step that grows over 1 MiB and shrinks again change their place, and nothing stays behind', async () => {
    const path = newPath();
    const tree = await treeWith({ 'implement_1.md': 'small' });
    await tree.load(path, 'create');
    await tree.put(`${home}/implement_1.md`, Buffer.alloc(CHUNK_BYTES * 2, 'x'));
    await tree.load(path);
    expect(select(path, 'SELECT count(*) AS number FROM content_chunk')).toEqual([{ number: 2 }]);

    await tree.put(`${home}/implement_1.md`, 'small again');
    await tree.load(path);

    expect(select(path, stepColumns)).toEqual([{ turn: 1, step: 'implement', type: 'text', size: 11 }]);
    expect(select(path, 'SELECT count(*) AS number FROM content_chunk')).toEqual([{ number: 0 }]);
    expect(select(path, 'SELECT count(*) AS number FROM content')).toEqual([{ number: 1 }]);
  });
});

describe('A second load', () => {
  test('of the same tree changes no row', async () => {
    const path = newPath();
    const tree = await treeWith({ 'implement_1.md': 'a', 'spec.md': 'b' });
    await tree.put('setting.json', '{"a":1}');
    await tree.load(path, 'create');

    const { written } = await tree.load(path);

    expect(written).toEqual({ entries: 0, bytes: 0, rows: 0, removed: 0 });
    expect(select(path, 'SELECT DISTINCT rev FROM tree_entry')).toEqual([{ rev: 1 }]);
  });

  test('writes the one file that changed and no row of another', async () => {
    const path = newPath();
    const tree = await treeWith({ 'implement_1.md': 'a', 'review_2.md': 'b' });
    await tree.load(path, 'create');
    await tree.put(`${home}/review_2.md`, 'changed');

    const { written } = await tree.load(path);

    expect(written).toMatchObject({ entries: 1, bytes: 7, removed: 0 });
    expect(select(path, `SELECT CAST(path AS TEXT) AS path FROM tree_entry WHERE rev = 2`)).toEqual([
      { path: `${home}/review_2.md` },
    ]);
  });

  test('moves the bytes of a step to the run that a longer journal assigns it to', async () => {
    const path = newPath();
    const first = [
      { run: 'pick', turn: 1, step: 'plan' },
      { turn: 2, step: 'implement', file: 'implement_2.md' },
      { turn: 3, step: 'review', file: 'review_3.md' },
    ] as const;
    const second = [...first, first[0], first[1]] as const;
    const tree = new MemoryTree();
    await tree.put(`${home}/meta.yml`, `id: ${id}\n`);
    await tree.put(`${home}/implement_2.md`, 'implemented');
    await tree.put(`${home}/review_3.md`, 'reviewed');
    await tree.put('var/journal.ndjson', journal(first));
    await tree.load(path, 'create');
    const before = texts(path);

    await tree.put('var/journal.ndjson', journal(second));
    const { written } = await tree.load(path);

    expect(written).toMatchObject({ entries: 1, removed: 0 });
    expect(
      select(path, `SELECT run, step, content FROM execution WHERE turn > 1 ORDER BY run, turn`),
    ).toEqual([
      { run: 1, step: 'implement', content: null },
      { run: 1, step: 'review', content: 'reviewed' },
      { run: 2, step: 'implement', content: 'implemented' },
    ]);
    expect(texts(path)).toEqual({ ...before, 'var/journal.ndjson': journal(second) });
  });

  test('moves the bytes of steps back when the journal is cut', async () => {
    const path = newPath();
    const lines = [
      { run: 'pick', turn: 1, step: 'plan' },
      { turn: 2, step: 'implement', file: 'implement_2.md' },
      { run: 'pick', turn: 1, step: 'plan' },
      { turn: 2, step: 'implement', file: 'implement_2.md' },
    ] as const;
    const tree = new MemoryTree();
    await tree.put(`${home}/meta.yml`, `id: ${id}\n`);
    await tree.put(`${home}/implement_2.md`, 'implemented');
    await tree.put('var/journal.ndjson', journal(lines));
    await tree.load(path, 'create');

    await tree.put('var/journal.ndjson', journal(lines.slice(0, 2)));
    await tree.load(path);

    expect(select(path, `SELECT run, turn, content FROM execution ORDER BY turn`)).toEqual([
      { run: 1, turn: 1, content: null },
      { run: 1, turn: 2, content: 'implemented' },
    ]);
    expect(texts(path)[`${home}/implement_2.md`]).toBe('implemented');
  });

  test('keeps the bytes of an SBI that is no longer interpreted, and gives them back to its rows when it is', async () => {
    const path = newPath();
    const tree = await treeWith({ 'implement_1.md': 'kept' });
    await tree.load(path, 'create');
    const before = select(path, stepColumns);

    await tree.put(`${home}/state.json`, '{"status":');
    const broken = await tree.load(path);

    expect(broken.quarantined).toBeGreaterThan(0);
    expect(select(path, 'SELECT id FROM sbi')).toEqual([]);
    expect(select(path, 'SELECT id FROM execution')).toEqual([]);
    expect(texts(path)[`${home}/implement_1.md`]).toBe('kept');

    await tree.put(`${home}/state.json`, '{"status":"WIP"}');
    await tree.load(path);

    expect(select(path, stepColumns)).toEqual(before);
    expect(select(path, `SELECT id FROM tree_entry, content WHERE state = 'quarantined'`)).toEqual([]);
  });

  test('removes every row of an SBI whose directory is gone', async () => {
    const path = newPath();
    const tree = await treeWith({ 'implement_1.md': 'a', 'large.bin': Buffer.alloc(CHUNK_BYTES + 1) });
    await tree.load(path, 'create');
    await tree.remove(home);

    const { written } = await tree.load(path);

    expect(written).toMatchObject({ removed: 4 });
    for (const table of ['sbi', 'execution', 'content', 'content_chunk']) {
      expect({ table, rows: select(path, `SELECT * FROM ${table}`) }).toEqual({ table, rows: [] });
    }
    expect(select(path, `SELECT CAST(path AS TEXT) AS path FROM tree_entry ORDER BY path`)).toEqual([
      { path: 'specs' },
      { path: 'specs/sbi' },
    ]);
  });
});
