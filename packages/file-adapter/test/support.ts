import { isStorageError, type TreePath, type TreeStat } from '@deespec/domain';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openFileStorage, type FileStorage, type FileSystem, type IgnoredEntry } from '../src/index.js';

/** A fresh directory that `remove` deletes. */
export function temporary(): { readonly directory: string; readonly remove: () => void } {
  const directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'file-adapter-')));
  const remove = (): void => {
    execFileSync('chmod', ['-R', 'u+rwx', directory]);
    fs.rmSync(directory, { recursive: true });
  };
  return { directory, remove };
}

/** A fresh tree on disk, removed at the end. */
export async function withTree(
  work: (tree: FileStorage & { readonly home: string; readonly ignored: IgnoredEntry[] }) => unknown,
  system: FileSystem = fs,
): Promise<void> {
  const { directory, remove } = temporary();
  const ignored: IgnoredEntry[] = [];
  try {
    const storage = openFileStorage({ home: directory, system, onIgnored: (entry) => ignored.push(entry) });
    await work({ ...storage, home: directory, ignored });
  } finally {
    remove();
  }
}

/** Writes files below `home`, with their directories. A name that ends in `/` is an empty directory. */
export function plant(home: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const place = join(home, name);
    fs.mkdirSync(name.endsWith('/') ? place : join(place, '..'), { recursive: true });
    if (!name.endsWith('/')) fs.writeFileSync(place, content);
  }
}

/** The paths of a scan. */
export function pathsOf(entries: Iterable<TreeStat>): TreePath[] {
  return [...entries].map(({ path }) => path);
}

/** The code of the StorageError that `work` throws. */
export async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (isStorageError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

/** A system call error as Node throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code, syscall: 'injected' });
}

/** The real file system with some calls replaced. */
export function systemWith(calls: Partial<FileSystem>): FileSystem {
  return { ...fs, ...calls };
}
