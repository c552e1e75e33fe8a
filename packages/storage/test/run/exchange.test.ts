import { isStorageError } from '@deespec/domain';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { exportTree } from '../../src/index.js';
import { homePaths, type HomePaths } from '../../src/home.js';
import { beginExchange, planExchange, readExchange } from '../../src/run/exchange-plan.js';
import { exchangeTree, finishExchange } from '../../src/run/exchange.js';
import { rebuildTree, rebuiltAt } from '../../src/run/rebuild.js';
import { placeAt, standing } from '../../src/run/walk.js';
import { put, removeDirectories, temporaryDirectory } from '../support.js';
import { copyOf, digestOf, homeIn } from './run-support.js';

// Whole runs, with a process for each check of a backup, on a machine that may be busy.
jest.setTimeout(120_000);
afterAll(removeDirectories);

const id = '01M810CC01J2AAPQZVYRK1YMJR';

/** A tree in mode sqlite whose files are damaged, with a new one built beside them. */
async function damagedHome(): Promise<{ readonly paths: HomePaths; readonly digest: string }> {
  const home = await homeIn('sqlite');
  const digest = await digestOf(home);
  const paths = homePaths(home);
  await rebuildTree(paths, id, {});
  put(home, 'knowledge/foreign.md', '# Only here\n');
  mkdirSync(join(home, 'of-nobody'));
  writeFileSync(Buffer.concat([Buffer.from(`${home}/`), Buffer.from([0xff, 0xfe])]), 'no UTF-8\n');
  symlinkSync('/etc', join(home, 'elsewhere'));
  return { paths, digest };
}

/** Does the renames of an exchange by hand, as far as a crash let it come. */
function renamesOf({ home, own }: HomePaths): (() => void)[] {
  const paths = homePaths(home);
  const { entries } = readExchange(paths)!;
  const trash = join(own, 'trash', id);
  mkdirSync(trash, { recursive: true, mode: 0o700 });
  return entries.flatMap(({ name, isNew }) => {
    const [place, fresh, old] = [
      placeAt(home, name),
      placeAt(rebuiltAt(paths, id), name),
      placeAt(trash, name),
    ];
    const away = standing(place) === undefined ? [] : [() => renameSync(place, old)];
    return isNew ? [...away, () => renameSync(fresh, place)] : away;
  });
}

describe('An exchange of the files', () => {
  test('is not made again when it has ended: there is nothing to take the place of the files', async () => {
    const { paths, digest } = await damagedHome();
    const first = exchangeTree(paths, id);

    const second = exchangeTree(paths, id);

    expect(await digestOf(paths.home)).toBe(digest);
    expect(second).toMatchObject({ entries: 0, trash: first.trash, onlyInTrash: first.onlyInTrash });
    expect(readExchange(paths)).toBeUndefined();
  });

  test('puts the new tree in place, whatever stood there, and keeps all of that', async () => {
    const { paths, digest } = await damagedHome();
    const { home } = paths;
    const marker = readFileSync(join(home, '.storage/epoch'), 'utf8');

    const { trash, onlyInTrash } = exchangeTree(paths, id);

    expect(await digestOf(home)).toBe(digest);
    expect(onlyInTrash.paths).toEqual(['elsewhere', 'knowledge/foreign.md', '\\xff\\xfe']);
    expect(lstatSync(join(trash, 'elsewhere')).isSymbolicLink()).toBe(true);
    expect(readFileSync(placeAt(trash, '\u00ff\u00fe'), 'utf8')).toBe('no UTF-8\n');
    expect(existsSync(join(trash, 'of-nobody'))).toBe(true);
    expect(readFileSync(join(home, '.storage/epoch'), 'utf8')).toBe(marker);
    expect([existsSync(paths.exchange), existsSync(join(paths.rebuild, id))]).toEqual([false, false]);
  });

  test('is finished from after each of its renames', async () => {
    const { paths, digest } = await damagedHome();
    beginExchange(paths, planExchange(paths, id));
    const count = renamesOf(homePaths(copyOf(paths.home))).length;

    for (let done = 0; done <= count; done += 1) {
      const copy = homePaths(copyOf(paths.home));
      for (const rename of renamesOf(copy).slice(0, done)) rename();
      finishExchange(copy);
      expect({ done, digest: await digestOf(copy.home) }).toEqual({ done, digest });
      expect(readFileSync(join(copy.trash, id, 'knowledge/foreign.md'), 'utf8')).toBe('# Only here\n');
      expect(existsSync(copy.exchange)).toBe(false);
    }
    expect(count).toBeGreaterThan(10);
  });

  test('keeps what another program made in the middle of it', async () => {
    const { paths, digest } = await damagedHome();
    const { home } = paths;
    beginExchange(paths, planExchange(paths, id));
    mkdirSync(join(home, '.storage/trash', id), { recursive: true, mode: 0o700 });
    renameSync(join(home, 'specs'), join(home, '.storage/trash', id, 'specs'));
    put(home, 'specs/sbi/late.md', 'late\n');

    finishExchange(paths);

    expect(await digestOf(home)).toBe(digest);
    expect(readFileSync(join(home, '.storage/trash', `${id}-1`, 'specs/sbi/late.md'), 'utf8')).toBe('late\n');
  });

  test('moves directories that cannot be written, with their modes', async () => {
    const home = await homeIn('file');
    put(home, 'locked/inside.md', 'inside\n');
    chmodSync(join(home, 'locked'), 0o555);
    const { migrate, setMode } = await import('../../src/index.js');
    await migrate({ home });
    await setMode({ home, mode: 'sqlite' });
    const digest = await digestOf(home);
    const paths = homePaths(home);
    await rebuildTree(paths, id, {});

    exchangeTree(paths, id);

    expect(await digestOf(home)).toBe(digest);
    expect(lstatSync(join(home, 'locked')).mode & 0o7777).toBe(0o555);
    for (const path of ['locked', `.storage/trash/${id}/locked`]) chmodSync(join(home, path), 0o755);
  });

  test('never believes a record that names what is not of the tree', async () => {
    const home = await homeIn('sqlite');
    const paths = homePaths(home);
    const names = ['../x', '.storage', 'deespec.db', 'a/b', '', '..', 'backups/../x', 'backups/'];

    for (const name of names) {
      writeFileSync(paths.exchange, JSON.stringify({ id, entries: [{ name, isNew: false }] }));
      const error = codeOf(() => finishExchange(paths));
      expect({ name, error }).toEqual({ name, error: 'FILE.READ_FAILED' });
    }
  });

  test('keeps everything out while it is not over', async () => {
    const { paths } = await damagedHome();
    beginExchange(paths, planExchange(paths, id));
    const { openStorage, sync } = await import('../../src/index.js');

    for (const work of [sync({ home: paths.home }), openStorage({ home: paths.home })])
      await expect(work).rejects.toMatchObject({ code: 'RUN.UNFINISHED' });
    const output = join(temporaryDirectory(), 'out');
    expect((await exportTree({ home: paths.home, output })).output).toBe(output);
  });
});

function codeOf(work: () => void): string {
  try {
    work();
    return 'nothing was thrown';
  } catch (error) {
    return isStorageError(error) ? error.code : String(error);
  }
}
