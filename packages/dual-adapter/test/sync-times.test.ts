import type { TreePath } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import { syncTrees } from '../src/sync-trees.js';
import { directory, put, setUp, store } from './sync-setup.js';

describe('syncTrees, times', () => {
  test('brings times of directories in step', async () => {
    const setup = setUp('sqlite');
    setup.disk.put('d' as TreePath, directory);
    await syncTrees(setup);
    setup.world.nowMs += 60_000;
    await store(setup, 'd/f', 'x');

    await syncTrees(setup, { paths: ['d/f' as TreePath] });

    const time = setup.disk.nodes.get('d' as TreePath)!.mtimeNs;
    expect(setup.database.tables.rows.get('d' as TreePath)!.entry.mtimeNs).toBe(time);
  });

  test('takes over the time of a file that holds the same, and not its content again', async () => {
    const setup = setUp('sqlite');
    put(setup, 'f.ndjson', 'a\n');
    await syncTrees(setup);
    setup.world.nowMs += 60_000;
    await store(setup, 'f.ndjson', 'a\nb\n');
    const { bytes } = setup.database.tables.rows.get('f.ndjson' as TreePath)!;

    await syncTrees(setup);

    const row = setup.database.tables.rows.get('f.ndjson' as TreePath)!;
    const file = setup.disk.nodes.get('f.ndjson' as TreePath)!;
    expect(file.bytes.toString()).toBe('a\nb\n');
    expect(row.entry.mtimeNs).toBe(file.mtimeNs);
    expect(row.bytes).toBe(bytes);
  });
});
