import type { StorageMode } from '@deespec/domain';
import { afterAll } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { createBackup, setMode, sync, type BackupManifest, type BackupReport } from '../../src/index.js';
import { migratedTree, newHome } from '../support.js';

const dist = new URL('../../dist/', import.meta.url).href;

const templates = new Map<StorageMode, Promise<{ directory: string; report: BackupReport }>>();

/** A small migrated tree in a mode. */
export async function treeIn(mode: StorageMode): Promise<string> {
  const { home } = await backedUp(mode);
  rmSync(join(home, 'backups'), { recursive: true });
  return home;
}

/** A tree in a mode with one backup: a copy of one that is made once. */
export async function backedUp(mode: StorageMode = 'file'): Promise<{ home: string } & BackupReport> {
  const template = templates.get(mode) ?? makeTemplate(mode);
  templates.set(mode, template);
  const { directory, report } = await template;
  const home = copyOf(directory);
  // Files of a copy have other inodes.
  if (mode !== 'file') await sync({ home });
  return { home, ...report, path: join(home, 'backups', `${report.id}.db`) };
}

async function makeTemplate(mode: StorageMode): Promise<{ directory: string; report: BackupReport }> {
  const home = await migratedTree();
  if (mode !== 'file') await setMode({ home, mode });
  const report = await createBackup({ home });
  return { directory: keep(home), report };
}

const kept: string[] = [];

afterAll(() => {
  for (const directory of kept) rmSync(directory, { recursive: true, force: true });
});

/** Keeps a tree as it is until the tests of the file are done. */
export function keep(home: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-backed-up-'));
  kept.push(directory);
  cpSync(home, directory, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return directory;
}

/** A copy of a tree that was kept. */
export function copyOf(directory: string): string {
  const home = newHome();
  cpSync(directory, home, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return home;
}

/** Where a backup and its manifest lie. */
export function pathsOf(home: string, name: string): { readonly file: string; readonly manifest: string } {
  const file = join(home, 'backups', name);
  return { file, manifest: `${file}.manifest.json` };
}

/** The manifest beside a backup. */
export function manifestOf(home: string, name: string): BackupManifest {
  return JSON.parse(readFileSync(pathsOf(home, name).manifest, 'utf8')) as BackupManifest;
}

/** Writes a manifest as it is, right or wrong. */
export function putManifest(home: string, name: string, value: unknown): void {
  writeFileSync(pathsOf(home, name).manifest, JSON.stringify(value), { mode: 0o600 });
}

/** Another backup with the content of `report`, of another number and time. */
export function another(
  home: string,
  { path, manifest }: BackupReport,
  change: Partial<BackupManifest> & { readonly seq: number; readonly createdAt: string },
): string {
  const day = change.createdAt.slice(0, 19).replaceAll(/[-:]/gu, '').replace('T', '_');
  const id = `backup_${day}_${String(change.seq).padStart(6, '0')}`;
  const name = `${id}.db`;
  writeFileSync(pathsOf(home, name).file, readFileSync(path), { mode: 0o600 });
  putManifest(home, name, { schema: 'deespec.backup/1', ...manifest, id, ...change });
  return id;
}

/** A time of the trees, some days after another one. */
export function daysAfter(time: string, days: number): string {
  const date = new Date(Date.parse(time) + days * 86_400_000);
  return `${date.toISOString().slice(0, 19)}.000000000Z`;
}

/**
 * Takes a backup back to where it was before it had its name: the directory of the work with its plan, and of the two files in
 * `backups/` those that are named.
 */
export function takeBack(home: string, name: string, keep: readonly ('data' | 'manifest')[]): string {
  const { file, manifest } = pathsOf(home, name);
  const directory = join(home, '.storage/backups/create-again');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  linkSync(file, join(directory, 'data'));
  linkSync(manifest, join(directory, 'manifest.json'));
  writeFileSync(join(directory, 'plan.json'), JSON.stringify({ add: name }), { mode: 0o600 });
  if (!keep.includes('data')) rmSync(file);
  if (!keep.includes('manifest')) rmSync(manifest);
  if (readdirSync(join(home, 'backups')).length === 0) rmSync(join(home, 'backups'), { recursive: true });
  return directory;
}

/** A service in another process that counts up one setting of its own. */
export interface CountingWriter {
  /** The last value that was acknowledged. */
  readonly acknowledged: () => number;
  stop(): Promise<void>;
}

/** Starts a service that writes as fast as it can; resolves after its first write. */
export async function startWriter(home: string, key: string): Promise<CountingWriter> {
  const program = `
    import { openStorage } from ${JSON.stringify(`${dist}index.js`)};
    const storage = await openStorage({ home: ${JSON.stringify(home)} });
    for (let value = 1; ; ) {
      try {
        await storage.setConfig(${JSON.stringify(`setting.${key}`)}, String(value));
        console.log(value);
        value += 1;
      } catch (error) {
        if (error.retryable !== true) throw error;
      }
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => (last = Number(line)));
  await once(lines, 'line');
  return {
    acknowledged: () => last,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Restores in a process of its own that is killed right after a file was renamed to a path with this end. */
export async function restoreUntil(home: string, id: string, end: string): Promise<void> {
  const program = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const rename = fs.renameSync;
    fs.renameSync = (from, to) => {
      rename(from, to);
      if (String(to).endsWith(${JSON.stringify(end)})) process.kill(process.pid, 'SIGKILL');
    };
    syncBuiltinESMExports();
    const { restore } = await import(${JSON.stringify(`${dist}index.js`)});
    await restore({ home: ${JSON.stringify(home)}, from: ${JSON.stringify(id)}, withTree: true });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error('the restore ended before it was killed');
}
