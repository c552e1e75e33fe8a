import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestTree } from '../src/index.js';
import {
  at,
  awkwardTree,
  hurry,
  naiveDigest,
  put,
  putIgnored,
  sha256,
  temporaryDirectory,
} from './support.js';

const repository = join(import.meta.dirname, '../../..');
const recipe = /^```bash\n(.*?)^```$/msu.exec(readFileSync(join(repository, 'docs/digest.md'), 'utf8'))![1]!;
const fixture = join(repository, '../shared/fixtures/deespec-v0.1.14.tar.gz');
const withFixture = existsSync(fixture) ? test : test.skip;

function runRecipe(directory: string): string {
  return execFileSync('bash', ['-c', recipe, 'recipe', directory], { encoding: 'utf8' }).trim();
}

describe('digestTree', () => {
  test('prints what the documented recipe prints on an awkward tree', async () => {
    const tree = awkwardTree();

    const { digest } = await digestTree(tree);

    expect(runRecipe(tree)).toBe(digest);
  });

  withFixture('prints what the documented recipe prints on a tree of the Go tool', async () => {
    const tree = temporaryDirectory();
    execFileSync('tar', ['-xzf', fixture, '-C', tree]);

    const { digest, files } = await digestTree(join(tree, '.deespec'));

    expect(files).toBeGreaterThan(50);
    expect(runRecipe(join(tree, '.deespec'))).toBe(digest);
  });

  test('equals the digest of known lines, which it hands out in order', async () => {
    const tree = temporaryDirectory();
    put(tree, 'b', 'x');
    chmodSync(at(tree, 'b'), 0o600);
    put(tree, 'a/\n\\', '');
    chmodSync(at(tree, 'a/\n\\'), 0);
    chmodSync(at(tree, 'a'), 0o1755);
    symlinkSync('to \\', at(tree, 'l'));
    const lines: string[] = [];

    const result = await digestTree(tree, { onLine: (line) => lines.push(line.toString('latin1')) });

    expect(lines).toEqual([
      'd 1755 a',
      `f 0 ${sha256('')} a/\\n\\\\`,
      `f 600 ${sha256('x')} b`,
      'l to \\\\ l',
    ]);
    expect(result.digest).toBe(sha256(lines.map((line) => `${line}\n`).join('')));
    expect(result).toMatchObject({ files: 2, directories: 1, symlinks: 1, bytes: 5, ignored: [] });
  });

  test('leaves out the closed list, and names what other programs left', async () => {
    const tree = temporaryDirectory();
    putIgnored(tree);
    const paths: string[] = [];

    const result = await digestTree(tree, {
      onLine: (line) => paths.push(line.toString().split(' ').at(-1)!),
    });

    expect(paths.sort()).toEqual([
      'backups', 'backups/alone.manifest.json', 'backups/star[', 'specs', 'specs/.storage', 'specs/.storage/x',
      'specs/deespec.db', 'var',
    ]); // prettier-ignore
    expect(result.ignored.map(({ path }) => path).sort()).toEqual([
      '.tmp-1', 'specs/x.tmp', 'var/.tmp.state.json', 'var/runlock', 'var/state.lock', 'var/state.lock/held',
    ]); // prettier-ignore
    expect(result.ignoredTally).toEqual({ entries: 6, bytes: 36 });
  });

  test('leaves out a directory that holds only backups, keeps an empty one', async () => {
    const backups = temporaryDirectory();
    put(backups, 'backups/one', 'x');
    put(backups, 'backups/one.manifest.json', '{}');
    put(backups, 'backups/half.tmp', '');
    const empty = temporaryDirectory();
    mkdirSync(at(empty, 'backups'));

    expect(await digestTree(backups)).toMatchObject({ directories: 0, files: 0 });
    expect(await digestTree(empty)).toMatchObject({ directories: 1, files: 0 });
    expect(runRecipe(backups)).toBe((await digestTree(backups)).digest);
    expect(runRecipe(empty)).toBe((await digestTree(empty)).digest);
  });

  test('depends on paths, modes, contents and targets, and on nothing else', async () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', '.', '-', ' ', '\n', '\\', '/', '\xff', '0'), {
        minLength: 1,
        maxLength: 8,
      })
      .map((parts) =>
        parts
          .join('')
          .split('/')
          .filter((part) => !/^\.*$/u.test(part))
          .join('/'),
      )
      .filter((path) => path !== '');
    const entry = fc.record({
      name,
      kind: fc.constantFrom('f', 'd', 'l'),
      mode: fc.integer({ min: 0, max: 0o7777 }),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (entries) => {
        const tree = temporaryDirectory();
        for (const item of entries) create(tree, item);

        expect((await digestTree(tree)).digest).toBe(naiveDigest(tree));

        rmSync(tree, { recursive: true });
      }),
      { numRuns: 60 },
    );
  });

  test('resolves a symlink at the directory itself', async () => {
    const tree = temporaryDirectory();
    put(tree, 'a', 'x');
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(tree, link);

    expect((await digestTree(link)).digest).toBe((await digestTree(tree)).digest);
  });

  test('refuses what is no directory, and special files', async () => {
    const tree = temporaryDirectory();
    put(tree, 'file', '');
    execFileSync('mkfifo', [join(tree, 'queue.tmp')]);

    await expect(digestTree(join(tree, 'absent'))).rejects.toMatchObject({ code: 'TREE.NOT_FOUND' });
    await expect(digestTree(join(tree, 'file'))).rejects.toMatchObject({ code: 'TREE.NOT_FOUND' });
    await expect(digestTree(join(tree, 'file/below'))).rejects.toMatchObject({ code: 'TREE.NOT_FOUND' });
    await expect(digestTree(tree)).rejects.toMatchObject({
      code: 'FILE.SPECIAL',
      details: { path: 'queue.tmp' },
    });
  });

  test('gives up on a file that changes during every read', async () => {
    const tree = temporaryDirectory();
    put(tree, 'log', Buffer.alloc(3 * 1_048_576));
    hurry();

    const growing = digestTree(tree, { onProgress: () => appendFileSync(join(tree, 'log'), 'x') });

    await expect(growing).rejects.toMatchObject({ code: 'FILE.UNSTABLE', details: { path: 'log' } });
  });

  test('reads again a file that changed once, and hashes its last state', async () => {
    const tree = temporaryDirectory();
    put(tree, 'log', Buffer.alloc(3 * 1_048_576));
    hurry();
    let calls = 0;
    const touchOnce = (): void => {
      calls += 1;
      if (calls === 2) writeFileSync(join(tree, 'log'), 'short');
    };

    const result = await digestTree(tree, { onProgress: touchOnce });

    expect(calls).toBeGreaterThan(1);
    expect(result.digest).toBe(naiveDigest(tree));
  });

  test('stops when it is told to', async () => {
    const tree = temporaryDirectory();
    put(tree, 'large', Buffer.alloc(3 * 1_048_576));
    hurry();
    const abort = new AbortController();

    const run = digestTree(tree, {
      signal: abort.signal,
      onProgress: ({ doneBytes }) => doneBytes > 0 && abort.abort(),
    });

    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

/** Creates one random entry; a name that is taken by something else is left as it is. */
function create(tree: string, { name, kind, mode }: { name: string; kind: string; mode: number }): void {
  if (/(^|\/)\.tmp/u.test(name)) return;
  try {
    if (kind === 'd') mkdirSync(at(tree, name), { recursive: true });
    else if (kind === 'l') symlinkSync(Buffer.from(`${name}\n\\ x`, 'latin1'), at(tree, name));
    else {
      put(tree, name, `content ${mode}`);
      chmodSync(at(tree, name), mode);
    }
  } catch (error) {
    if (!['EEXIST', 'ENOTDIR', 'EISDIR', 'ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code!))
      throw error;
  }
}
