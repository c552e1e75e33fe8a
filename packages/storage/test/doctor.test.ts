import { afterAll, describe, expect, test } from '@jest/globals';
import { chmodSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { runDoctor } from '../src/index.js';
import { checkOf, foundBy, treeIn } from './health-support.js';
import { corrupt, listing, removeDirectories, temporaryDirectory } from './support.js';

afterAll(removeDirectories);

describe('The doctor', () => {
  test('finds nothing on a healthy tree, and writes nothing', async () => {
    const home = await treeIn('dual_write');
    const before = listing(home, '%p %T@\\0');

    const report = await runDoctor({ home });

    expect(foundBy(report)).toEqual({});
    expect(report.checks.filter(({ level }) => level === 'machine').map(({ name }) => name)).toEqual([
      'node',
      'sqlite',
      'file-system',
      'permissions',
      'clock',
    ]);
    expect(checkOf(report, 'node').value).toContain(`ABI ${process.versions.modules}`);
    expect(checkOf(report, 'sqlite').value).toMatch(/^SQLite 3\.\d+\.\d+, \d+ compile options$/u);
    expect(listing(home, '%p %T@\\0')).toEqual(before);
  });

  test('looks at the machine where there is no tree, and says so', async () => {
    const report = await runDoctor({});

    expect(report).toMatchObject({ status: 'ok', levels: { machine: 'ok', live: 'ok' } });
    expect(report).not.toHaveProperty('home');
    expect(checkOf(report, 'tree').value).toContain('there is no .deespec directory');
  });

  test('says what is wrong with a directory that is no tree', async () => {
    const report = await runDoctor({ home: temporaryDirectory() });

    expect(foundBy(report)).toEqual({ tree: 'fail' });
    expect(checkOf(report, 'tree').code).toBe('TREE.NOT_FOUND');
  });

  test('makes the checks of health too', async () => {
    const home = await treeIn('file');
    corrupt(home, 'CREATE INDEX mine ON sbi (label)');

    expect(foundBy(await runDoctor({ home }))).toEqual({ schema: 'fail' });
  });

  test('finds a time that is to come, and names the file', async () => {
    const home = await treeIn('file');
    const later = Date.now() / 1_000 + 7_170;
    utimesSync(join(home, 'setting.json'), later, later);

    const report = await runDoctor({ home });

    expect(foundBy(report)).toEqual({ clock: 'warn' });
    expect(checkOf(report, 'clock').value).toContain('setting.json in 119 min');
  });

  test('finds a database, and a directory, that others may write to', async () => {
    const home = await treeIn('file');
    chmodSync(join(home, 'deespec.db'), 0o666);
    chmodSync(home, 0o777);

    const report = await runDoctor({ home });

    expect(foundBy(report)).toEqual({ permissions: 'warn' });
    expect(checkOf(report, 'permissions').value).toBe(
      `others may write to ${home}, ${join(home, 'deespec.db')}`,
    );
  });
});
