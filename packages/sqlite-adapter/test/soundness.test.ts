import { afterEach, expect, test } from '@jest/globals';
import { join } from 'node:path';

import { openHandle, requireSound } from '../src/index.js';
import { MemoryTree } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

afterEach(removeDirectories);

test('a database whose words another process rewrites meanwhile is sound', async () => {
  const path = join(directory(), 'deespec.db');
  await new MemoryTree().load(path, 'create');
  const writer = openHandle(path, 'write');
  writer.pragma('journal_mode = WAL');
  const add = writer.prepare('INSERT INTO search_text (rowid, text) VALUES (?, ?)');
  for (let row = 1; row <= 8; row += 1) add.run(row, `words ${row}`);
  const reader = openHandle(path, 'read');
  const pragma = reader.pragma.bind(reader);
  // The other process writes just before SQLite's own check.
  reader.pragma = (text, options) => {
    if (text.startsWith('quick_check'))
      writer.exec(`INSERT INTO search_text (search_text) VALUES ('optimize')`);
    return pragma(text, options);
  };

  expect(() => requireSound(reader)).not.toThrow();

  reader.close();
  writer.close();
});
