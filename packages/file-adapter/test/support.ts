import {
  isStorageError,
  pathFromText,
  type AuditNote,
  type TreeEdit,
  type TreePath,
  type TreeReader,
  type TreeStat,
} from '@deespec/domain';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
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

/** The real file system without the wait for the disk, for tests that open hundreds of trees and cut no power. */
export const quickSystem: FileSystem = { ...fs, fsyncSync: () => undefined };

/** The quick file system where the `at`-th call fails with `code`, counted from 1; `then` says what becomes of those after it. */
export function systemFailing(at: number, code: string, then: 'works on' | 'is dead'): CountingSystem {
  let count = 0;
  const failing = new Proxy(quickSystem, {
    get: (target, name) => {
      const call: unknown = Reflect.get(target, name);
      if (typeof call !== 'function' || !String(name).endsWith('Sync')) return call;
      return (...args: unknown[]): unknown => {
        count += 1;
        if (count === at || (then === 'is dead' && count > at)) throw systemError(code);
        return Reflect.apply(call, target, args) as unknown;
      };
    },
  });
  return { system: failing, count: () => count };
}

interface CountingSystem {
  readonly system: FileSystem;
  readonly count: () => number;
}

/** Everything in a tree: path to kind, mode and content. */
export function contentsOf(store: TreeReader): Record<string, string> {
  const entries = [...store.scan()].map(({ path, kind, mode }) => {
    const content = Buffer.concat([...store.read(path)]).toString();
    return [path, `${kind} ${kind === 'symlink' ? '' : mode.toString(8)} ${content}`] as const;
  });
  return Object.fromEntries(entries);
}

/** What a change says of itself. */
export function note(action: string): AuditNote {
  return { timestamp: '2026-01-02T03:04:05.000000000Z', entityType: 'sbi', entityId: 'x', action };
}

/** SHA-256 of a text. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A file to be put where `expected` stands; a text names its content. */
export function put(path: string, content: string, expected?: string): TreeEdit {
  const version = {
    path: pathFromText(path),
    kind: 'file',
    mode: 0o640,
    bytes: Buffer.from(content),
  } as const;
  return { op: 'put', version, expected: expected === undefined ? undefined : sha256(expected) };
}

export function append(path: string, line: string): TreeEdit {
  return { op: 'append', path: pathFromText(path), line: Buffer.from(`${line}\n`) };
}

export function makeDirectory(path: string): TreeEdit {
  const bytes = Buffer.alloc(0);
  return {
    op: 'put',
    version: { path: pathFromText(path), kind: 'directory', mode: 0o750, bytes },
    expected: undefined,
  };
}

export function removal(path: string, expected: string): TreeEdit {
  return { op: 'remove', path: pathFromText(path), expected: sha256(expected) };
}

export function discard(path: string): TreeEdit {
  return { op: 'discard', path: pathFromText(path) };
}

/** Names in a directory of `.storage`. */
export function ownNames(home: string, place: string): string[] {
  const directory = join(home, '.storage', place);
  return fs.existsSync(directory) ? fs.readdirSync(directory).sort() : [];
}
