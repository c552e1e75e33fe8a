import {
  parseSbiId,
  sbiComparer,
  sbiStatuses,
  type Sbi,
  type SbiFilter,
  type SbiStatus,
} from '@deespec/domain';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { openHandle, openSqliteIndex } from '../src/index.js';
import { labelWords } from '../src/search-labels.js';
import { searchPart } from '../src/search-part.js';
import { MemoryTree } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

/** With these, more items have a common word than are collected for a page. */
const ITEMS = 60_000;

const AT = '2026-01-02T03:04:05.000000000Z';

interface Item {
  readonly id: string;
  readonly status: SbiStatus;
  readonly label: string | null;
  readonly priority: number;
  readonly words: string;
}

/** Most have the common word; those that are done only at the beginning and at the end, and none that is ready. */
function itemOf(number: number): Item {
  const id = `SBI-01M810CC00${String(number).padStart(16, '0')}`;
  const status = number % 11 === 0 ? 'READY' : number % 11 === 1 ? 'DONE' : 'WIP';
  const hasWord =
    status === 'WIP' ? number % 7 !== 0 : status === 'DONE' && (number < 1_000 || number > ITEMS - 3_000);
  const words = `${hasWord ? 'often' : 'never'} ${number % 2 === 0 ? 'even' : 'odd'}`;
  const label = number % 4 === 0 ? 'fourth' : number % 1_000 === 3 ? 'few' : null;
  return { id, status, label, priority: (number * 7) % 3, words };
}

function sbiOf({ id, status, priority }: Item): Sbi {
  const times = { createdAt: AT, updatedAt: AT };
  return { id: parseSbiId(id), taskId: id, status, priority, ...times, metadata: {} };
}

/** The rows alone: what a search reads. */
async function databaseOf(items: readonly Item[]): Promise<string> {
  const path = join(directory(), 'deespec.db');
  await new MemoryTree().load(path, 'create');
  const handle = openHandle(path, 'write');
  const add = handle.prepare(
    `INSERT INTO sbi (id, task_id, label, priority, status, created_at, updated_at, metadata, path)
     VALUES (:id, :id, :label, :priority, :status, '${AT}', '${AT}', '{}', CAST(:id AS BLOB))`,
  );
  const addItem = handle.prepare(
    'INSERT INTO search_item (id, sbi_id, basis) VALUES (?, ?, hex(zeroblob(32)))',
  );
  const addWords = handle.prepare('INSERT INTO search_text (rowid, text) VALUES (?, ?)');
  handle.transaction(() => {
    for (const { words: _, ...item } of items) add.run(item);
    for (const status of sbiStatuses) {
      const { first } = searchPart(status);
      for (const [at, { id, words, label }] of items.filter((item) => item.status === status).entries()) {
        addItem.run(first + at, id);
        addWords.run(first + at, [words, ...labelWords(label ?? '')].join(' '));
      }
    }
  })();
  handle.close();
  return path;
}

describe('A search for words that most items have', () => {
  const items = Array.from({ length: ITEMS }, (_, number) => itemOf(number));
  let opened: Awaited<ReturnType<typeof openSqliteIndex>>;

  beforeAll(async () => {
    opened = await openSqliteIndex(await databaseOf(items));
  });
  afterAll(() => opened.close());

  test.each<SbiFilter>([
    { search: 'often' },
    { search: 'often', direction: 'descending' },
    { search: 'often even' },
    { search: 'often', status: 'WIP' },
    { search: 'often', status: 'DONE' },
    { search: 'often', status: 'READY' },
    { search: 'often', label: 'fourth' },
    { search: 'often', label: 'few', direction: 'descending' },
    { search: 'often', label: 'fourth', order: 'id' },
    { search: 'often', label: 'few', order: 'next' },
    { search: 'never', label: 'fourth', order: 'updated' },
    { search: 'often', order: 'next' },
    { search: 'often even', order: 'next', label: 'fourth' },
    { search: 'often', order: 'priority', direction: 'descending' },
    { search: 'often', order: 'status' },
    { search: 'often', order: 'status', direction: 'descending' },
    { search: 'often', order: 'id' },
  ])('the pages of %j hold every item that has them, once and in order', async (filter) => {
    const wanted = items
      .filter(({ words }) => filter.search!.split(' ').every((word) => words.split(' ').includes(word)))
      .filter(({ status }) => filter.status === undefined || status === filter.status)
      .filter(({ label }) => filter.label === undefined || label === filter.label)
      .map(sbiOf)
      .toSorted(sbiComparer(filter))
      .map(({ id }) => id);
    const found: string[] = [];
    // Short pages are found in another way than long ones.
    for (let limit = 30; ; limit = limit === 30 ? 1_000 : 30) {
      const after = found.at(-1);
      const from = after === undefined ? {} : { after: parseSbiId(after) };
      const page = await opened.index.listSbis({ ...filter, ...from, limit });
      found.push(...page.map(({ id }) => id));
      if (page.length < limit || found.length > wanted.length) break;
    }
    // Not the lists themselves: their difference would take minutes to print.
    const firstWrong = found.findIndex((id, at) => id !== wanted[at]);
    expect({ items: found.length, firstWrong }).toEqual({ items: wanted.length, firstWrong: -1 });
  });

  test('the first page by status is found behind all the items of another status that lack them', async () => {
    const page = await opened.index.listSbis({ search: 'often', order: 'status', limit: 5 });
    const wanted = items.filter(({ status, words }) => status === 'DONE' && words.startsWith('often'));
    expect(page.map(({ id }) => id)).toEqual(wanted.slice(0, 5).map(({ id }) => id));
  });
});

test('a page is whole where a status has less of it than its share', async () => {
  // As many items of both have the word, but those of one stand at the end.
  const items = Array.from({ length: 20_000 }, (_, number): Item => {
    const status = number % 2 === 0 ? 'WIP' : 'DONE';
    const hasWord = status === 'WIP' ? number % 66 === 0 : number > 19_400;
    return { ...itemOf(number), status, words: hasWord ? 'some' : 'other' };
  });
  const opened = await openSqliteIndex(await databaseOf(items));
  const wanted = items.filter(({ words }) => words === 'some').map(({ id }) => id);
  for (const limit of [20, 50, 100]) {
    const page = await opened.index.listSbis({ search: 'some', limit });
    expect(page.map(({ id }) => id)).toEqual(wanted.slice(0, limit));
  }
  await opened.close();
});
