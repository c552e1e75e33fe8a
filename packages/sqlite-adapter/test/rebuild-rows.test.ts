import { afterAll, describe, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { openHandle } from '../src/index.js';
import { findRepairs, rebuildRows } from '../src/rebuild-rows.js';
import { MemoryTree, select } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

const ids = ['SBI-01M810CC01J2AAPQZVYRK1YMJA', 'SBI-01M810CC01J2AAPQZVYRK1YMJB'] as const;

async function database(sql: string): Promise<string> {
  const path = join(directory(), 'deespec.db');
  const tree = new MemoryTree();
  for (const id of ids) {
    await tree.put(`specs/sbi/${id}/state.json`, '{"status":"WIP","priority":3}');
    await tree.put(`specs/sbi/${id}/implement_1.md`, `implemented ${id}`);
    await tree.put(`specs/sbi/${id}/review_2.md`, 'reviewed');
  }
  await tree.load(path, 'create');
  const handle = openHandle(path, 'build');
  handle.exec(sql);
  handle.close();
  return path;
}

/** Rebuilds what is found, at most so many rows. @returns what was found before, and after */
function repair(path: string, most?: number) {
  const handle = openHandle(path, 'write');
  try {
    return handle
      .transaction(() => {
        const before = findRepairs(handle, most);
        rebuildRows(handle, before.rows);
        return { before, after: findRepairs(handle) };
      })
      .immediate();
  } finally {
    handle.close();
  }
}

describe('Rebuilding rows', () => {
  test('touches only the rows that are named', async () => {
    const path = await database(`UPDATE sbi SET priority = 4 WHERE id = '${ids[0]}'`);
    const others = () => select(path, `SELECT * FROM execution ORDER BY id`);
    const before = others();

    const { after } = repair(path);

    expect(after.rows).toEqual([]);
    expect(others()).toEqual(before);
    expect(select(path, 'SELECT priority FROM sbi')).toEqual([{ priority: 3 }, { priority: 3 }]);
  });

  test('leaves what is beyond the number that is asked for to the next time', async () => {
    const path = await database('UPDATE sbi SET priority = 4');

    const { before, after } = repair(path, 1);

    expect(before).toMatchObject({ rows: [{ key: ids[0] }], more: 1 });
    expect(after).toMatchObject({ rows: [{ key: ids[1] }], more: 0 });
  });

  test('brings artifacts back to their executions when two have changed places', async () => {
    const path = await database(
      `UPDATE execution SET step = 'x' WHERE step = 'implement';
       UPDATE execution SET step = 'implement', turn = 1 WHERE step = 'review';
       UPDATE execution SET step = 'review', turn = 2 WHERE step = 'x'`,
    );

    const { after } = repair(path);

    expect(after.rows).toEqual([]);
    const contents = 'SELECT step, CAST(content AS TEXT) AS content FROM execution ORDER BY sbi_id, turn';
    expect(select(path, contents)).toEqual(
      ids.flatMap((id) => [
        { step: 'implement', content: `implemented ${id}` },
        { step: 'review', content: 'reviewed' },
      ]),
    );
    expect(
      select(
        path,
        'SELECT * FROM content WHERE id NOT IN (SELECT content_id FROM tree_entry WHERE content_id IS NOT NULL)',
      ),
    ).toEqual([]);
  });

  test('makes rows whose paths are exchanged, and rows that are of nothing', async () => {
    const path = await database(
      `UPDATE sbi SET path = x'01' WHERE id = '${ids[0]}';
       UPDATE sbi SET path = CAST('specs/sbi/${ids[0]}' AS BLOB), id = 'SBI-00000000000000000000000000' WHERE id = '${ids[1]}'`,
    );

    const { after } = repair(path);

    expect(after.rows).toEqual([]);
    expect(select(path, 'SELECT id, CAST(path AS TEXT) AS path FROM sbi ORDER BY id')).toEqual(
      ids.map((id) => ({ id, path: `specs/sbi/${id}` })),
    );
  });
});
