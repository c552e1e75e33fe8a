import { expect, test } from '@jest/globals';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { removeTree } from '../src/index.js';

test('removes names that are no UTF-8, read-only directories and symlinks, and follows none', () => {
  const base = mkdtempSync(join(tmpdir(), 'remove-tree-'));
  const kept = join(base, 'kept');
  const tree = join(base, 'tree');
  mkdirSync(kept);
  mkdirSync(join(tree, 'closed'), { recursive: true });
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/closed/`), Buffer.from([0xff, 0xfe])]), 'x');
  symlinkSync(kept, join(tree, 'link'));
  chmodSync(join(tree, 'closed'), 0o500);

  removeTree(tree);
  removeTree(tree);

  expect([existsSync(tree), existsSync(kept)]).toEqual([false, true]);
  rmSync(base, { recursive: true });
});
