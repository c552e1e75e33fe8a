import {
  isStorageError,
  pathFromText,
  putIf,
  type ErrorCode,
  type TreePath,
  type TreeReader,
  type TreeStore,
} from '@deespec/domain';
import { expect } from '@jest/globals';
import { createHash } from 'node:crypto';

/** A fixed time with microseconds. */
export const someTimeNs = 1_767_323_045_123_456_000n;

/** SHA-256 in lower-case hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Expects `work` to fail with a StorageError of `code` that says what to do next. */
export async function expectCode(work: () => unknown, code: ErrorCode): Promise<void> {
  let error: unknown;
  try {
    await work();
  } catch (caught) {
    error = caught;
  }
  if (isStorageError(error)) expect(error.hint).toBeTruthy();
  expect(isStorageError(error) ? error.code : error).toBe(code);
}

/** The whole content at a path. */
export function contentOf(tree: TreeReader, path: TreePath): Buffer {
  return Buffer.concat([...tree.read(path)]);
}

/** Creates the directories of `path` that are missing, `path` included. */
export async function makeDirectories(store: TreeStore, path: string): Promise<void> {
  for (let end = path.indexOf('/'); ; end = path.indexOf('/', end + 1)) {
    const part = (end < 0 ? path : path.slice(0, end)) as TreePath;
    if (store.find(part) === undefined) {
      await putIf(store, { path: part, kind: 'directory', mode: 0o755, bytes: Buffer.alloc(0) }, undefined);
    }
    if (end < 0) return;
  }
}

/** Puts a file at a text path, over whatever stands there, directories included. */
export async function putText(store: TreeStore, text: string, content: string): Promise<TreePath> {
  const path = pathFromText(text);
  const slash = path.lastIndexOf('/');
  if (slash > 0) await makeDirectories(store, path.slice(0, slash));
  const version = {
    path,
    kind: 'file',
    mode: 0o644,
    mtimeNs: someTimeNs,
    bytes: Buffer.from(content),
  } as const;
  await putIf(store, version, store.find(path)?.sha256);
  return path;
}

/** Everything a store holds, for comparing before and after. */
export function snapshotOf(tree: TreeReader): unknown[] {
  return [...tree.scan()].map(({ path, kind, mode, mtimeNs, size }) => ({
    path,
    kind,
    mode,
    mtimeNs,
    size,
    sha256: tree.find(path)?.sha256,
  }));
}
