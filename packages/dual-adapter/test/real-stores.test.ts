import { pathFromText, putIf, type TreeReader } from '@deespec/domain';
import { openFileStorage } from '@deespec/file-adapter';
import { openSqliteStorage, SqliteLoader } from '@deespec/sqlite-adapter';
import { treeStoreContract } from '@deespec/storage-contract';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { DualStore, syncTrees, type Truth } from '../src/index.js';

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

async function openBoth(truth: Truth) {
  const home = mkdtempSync(join(tmpdir(), 'deespec-dual-'));
  homes.push(home);
  const path = join(home, 'deespec.db');
  const state = { mode: 'file', epoch: 1, storeId: '01HZX3YQ4VAXE1C24TYMZ95G6S' } as const;
  SqliteLoader.open({ path, create: { state, now: () => new Date() } }).complete();
  const disk = openFileStorage({ home, owes: truth === 'files' });
  const sqlite = await openSqliteStorage({ path, owes: truth === 'sqlite' });
  const dual = new DualStore({ truth, files: disk.store, ledger: sqlite.store });
  return { home, disk, sqlite, dual, files: disk.store, ledger: sqlite.store, truth };
}

function entriesOf(tree: TreeReader): unknown[] {
  return [...tree.scan()].map(({ path }) => {
    const { kind, mode, mtimeNs, sha256 } = tree.find(path)!;
    return { path, kind, mode, mtimeNs, sha256 };
  });
}

function canRead(tree: TreeReader): boolean {
  try {
    tree.find(pathFromText('f'));
    return true;
  } catch {
    return false;
  }
}

describe.each<Truth>(['files', 'sqlite'])('DualStore on real stores', (truth) => {
  const open = async () => {
    const { disk, sqlite, dual, files, ledger } = await openBoth(truth);
    return {
      store: dual,
      index: truth === 'files' ? disk.index : sqlite.index,
      close: async () => {
        // Unless the test closed it.
        const isOpen = await dual.settled().then(() => canRead(ledger));
        const both = isOpen ? [entriesOf(files), entriesOf(ledger)] : [];
        await dual.close();
        expect(both[0]).toEqual(both[1]);
      },
    };
  };
  // The files append: what a put into the database leaves out of the journal comes back from them.
  treeStoreContract(`dual, truth in ${truth}`, open, truth === 'files' ? 'replaced' : 'merged');
});

describe('syncTrees on real stores', () => {
  test('imports, merges, projects and removes, then writes nothing', async () => {
    const both = await openBoth('sqlite');
    const { home, files, ledger, dual } = both;
    const at = (name: string): string => join(home, name);
    mkdirSync(at('d/e'), { recursive: true });
    writeFileSync(at('d/f'), 'x');
    writeFileSync(at('d/large'), Buffer.alloc(3_000_000, 'y'));
    writeFileSync(at('j.ndjson'), '{"a":1}\n');
    writeFileSync(at('both'), 'base');
    writeFileSync(at('gone'), 'x');
    symlinkSync('nowhere', at('l'));

    expect(await syncTrees(both)).toMatchObject({ imported: 8, failed: [], unstable: [] });
    expect(await syncTrees(both)).toMatchObject({ wrote: 0 });
    expect(entriesOf(files)).toEqual(entriesOf(ledger));

    writeFileSync(at('both'), 'of the files');
    appendFileSync(at('j.ndjson'), '{"foreign":1}\n');
    rmSync(at('gone'));
    const journal = pathFromText('j.ndjson');
    await dual.edit(() => ({ edits: [{ op: 'append', path: journal, line: Buffer.from('{"ours":1}\n') }] }));
    const version = { kind: 'file', mode: 0o600, bytes: Buffer.from('of the database') } as const;
    await putIf(dual, { path: pathFromText('both'), ...version }, ledger.find(pathFromText('both'))!.sha256);
    await putIf(dual, { path: pathFromText('d/e/new'), ...version }, undefined);
    await dual.settled();
    const report = await syncTrees(both);

    expect(report).toMatchObject({ failed: [], unstable: [], removedFromDatabase: 1 });
    expect(readFileSync(at('j.ndjson'), 'utf8')).toBe('{"a":1}\n{"foreign":1}\n{"ours":1}\n');
    expect(readFileSync(at('both'), 'utf8')).toBe('of the database');
    expect(files.listConflicts()).toMatchObject([{ path: 'both', store: 'files' }]);
    expect(entriesOf(files)).toEqual(entriesOf(ledger));
    expect(await syncTrees(both)).toMatchObject({ wrote: 0 });
    await dual.close();
  });
});
