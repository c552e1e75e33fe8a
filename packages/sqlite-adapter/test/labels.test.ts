import { parseSbiId, type SbiFilter } from '@deespec/domain';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { openHandle, openSqliteIndex } from '../src/index.js';
import { MemoryTree } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

/** More than are sorted, and more than the texts of labels that are looked through. */
const ITEMS = 11_000;

interface Item {
  readonly id: string;
  readonly label: string | null;
  readonly status: string;
  readonly priority: number;
}

/** Items whose labels stand alone, in front of, behind and between others, and are parts of other labels. */
function itemOf(number: number, labelOf: (number: number) => string | null): Item {
  const id = `SBI-01M810CC00${String(number).padStart(16, '0')}`;
  return {
    id,
    label: labelOf(number),
    status: number % 3 === 0 ? 'WIP' : 'READY',
    priority: (number * 7) % 1_000,
  };
}

/** The rows alone: what a list reads. */
async function databaseOf(items: readonly Item[]): Promise<string> {
  const path = join(directory(), 'deespec.db');
  await new MemoryTree().load(path, 'create');
  const handle = openHandle(path, 'write');
  const add = handle.prepare(
    `INSERT INTO sbi (id, task_id, label, priority, status, created_at, updated_at, metadata, path)
     VALUES (:id, :id, :label, :priority, :status, :at, :at, '{}', CAST(:id AS BLOB))`,
  );
  const at = '2026-01-02T03:04:05.000000000Z';
  handle.transaction(() => items.forEach((item) => add.run({ ...item, at })))();
  handle.close();
  return path;
}

const few = (number: number): string | null => {
  if (number % 1_000 === 7)
    return ['rare', 'rare,common', 'x,rare,y', 'rarer', 'x,rare'][Math.floor(number / 1_000) % 5]!;
  return number % 4 === 0 ? null : ['common', 'common,old', 'a,common'][number % 3]!;
};

describe.each([
  ['few texts of labels', few],
  ['a text of labels for each item', (number: number) => `${few(number) ?? 'none'},n${number}`],
] as const)('In a list with %s', (_, labelOf) => {
  const items = Array.from({ length: ITEMS }, (_unused, number) => itemOf(number, labelOf));
  let opened: Awaited<ReturnType<typeof openSqliteIndex>>;

  beforeAll(async () => {
    opened = await openSqliteIndex(await databaseOf(items));
  });
  afterAll(() => opened.close());

  test.each<SbiFilter>([
    { label: 'rare' },
    { label: 'rare', status: 'WIP' },
    { label: 'common' },
    { label: 'common', status: 'READY' },
    { label: 'rar' },
    { label: 'n77' },
    { label: 'nobody' },
  ])('the pages of %j hold every item that has it, once and in order', async (filter) => {
    const { label, status } = filter;
    const wanted = items
      .filter((item) => item.label === label || item.label?.split(',').includes(label!))
      .filter((item) => status === undefined || item.status === status)
      .toSorted((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id);
    const found: string[] = [];
    for (let page = ['']; page.length > 0; found.push(...page)) {
      const after = found.length === 0 ? {} : { after: parseSbiId(found.at(-1)!) };
      const list = await opened.index.listSbis({ ...filter, ...after, order: 'priority', limit: 1_000 });
      page = list.map(({ id }) => id);
    }

    expect(found).toEqual(wanted);
  });
});
