import type { ErrorCode } from '@deespec/domain';
import { afterAll, describe, expect, test } from '@jest/globals';
import { symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { digest, exportTree, setMode } from '../src/index.js';
import {
  corrupt,
  createElsewhere,
  diff,
  expectError,
  generatedTree,
  listing,
  migratedTree,
  put,
  removeDirectories,
  temporaryDirectory,
} from './support.js';

afterAll(removeDirectories);

describe('Export', () => {
  test.each<[string, ErrorCode, (home: string) => string]>([
    [
      'a directory that is not empty',
      'EXPORT.TARGET_NOT_EMPTY',
      (home) => dirname(put(dirname(home), 'out/a', '')),
    ],
    ['a file', 'EXPORT.TARGET_NOT_EMPTY', (home) => put(dirname(home), 'out', 'a file')],
    [
      'a link to an empty directory',
      'EXPORT.TARGET_NOT_EMPTY',
      (home) => {
        symlinkSync(temporaryDirectory(), join(dirname(home), 'link'));
        return join(dirname(home), 'link');
      },
    ],
    [
      'a link to nothing',
      'EXPORT.TARGET_NOT_EMPTY',
      (home) => {
        symlinkSync('nowhere', join(dirname(home), 'link'));
        return join(dirname(home), 'link');
      },
    ],
    ['a name that is too long', 'FILE.READ_FAILED', (home) => join(dirname(home), 'n'.repeat(256))],
    ['a directory inside the tree', 'EXPORT.TARGET_INSIDE_TREE', (home) => join(home, 'export')],
    ['the tree itself', 'EXPORT.TARGET_INSIDE_TREE', (home) => home],
    ['a directory that holds the tree', 'EXPORT.TARGET_INSIDE_TREE', (home) => dirname(home)],
    ['a directory whose parent is missing', 'FILE.NOT_FOUND', (home) => join(dirname(home), 'no/such')],
    [
      'the tree through a symbolic link',
      'EXPORT.TARGET_INSIDE_TREE',
      (home) => {
        symlinkSync(home, join(dirname(home), 'link'));
        return join(dirname(home), 'link/export');
      },
    ],
  ])('into %s is refused, and changes nothing', async (_, code, target) => {
    const home = await migratedTree();
    const output = target(home);
    const before = listing(dirname(home), '%P %s %T@\\0');

    await expectError(exportTree({ home, output }), code);

    const changed = listing(dirname(home), '%P %s %T@\\0').filter((line) => !before.includes(line));
    expect(changed.filter((line) => !line.includes('.storage') && !line.startsWith('.deespec '))).toEqual([]);
  });

  test('goes into an empty directory, and replaces it', async () => {
    const home = await migratedTree();
    const output = temporaryDirectory();

    await exportTree({ home, output });

    expect(diff(home, output)).toBe('');
  });

  test('says that there is no database yet', async () => {
    await expectError(
      exportTree({ home: generatedTree(), output: join(temporaryDirectory(), 'x') }),
      'DATABASE.NOT_FOUND',
    );
  });

  test('leaves nothing when a stored byte is wrong', async () => {
    const home = await migratedTree();
    corrupt(
      home,
      `UPDATE content SET bytes = zeroblob(size)
       WHERE id = (SELECT max(id) FROM content WHERE size > 9 AND bytes IS NOT NULL)`,
    );
    const parent = temporaryDirectory();

    await expectError(exportTree({ home, output: join(parent, 'out') }), 'TRANSFER.MISMATCH');

    expect(listing(parent, '%P\\0')).toEqual(['']);
  });

  test('is the tree of one moment, whatever a service writes meanwhile', async () => {
    const home = await migratedTree();
    await setMode({ home, mode: 'sqlite' });
    const output = join(dirname(home), 'out');
    const before = await exportTree({ home, output: join(dirname(home), 'before') });

    const written: string[] = [];
    const onProgress = ({ phase }: { phase: string }): void => {
      if (phase === 'verify' && written.length < 3) written.push(createElsewhere(home));
    };
    const report = await exportTree({ home, output, onProgress });

    expect(written).toHaveLength(3);
    expect(report.digest).toBe(before.digest);
    expect((await digest({ directory: output })).digest).toBe(before.digest);
    const after = join(dirname(home), 'after');
    await exportTree({ home, output: after });
    expect(written.filter((id) => listing(after).some((line) => line.includes(id)))).toEqual(written);
  });
});
