import type { TreePath, TreeVersion } from '@deespec/domain';

import { someTimeNs } from './expectations.js';

/** Bytes in a MiB. */
export const mib = 1_048_576;

/** A version with defaults. */
export function version(path: TreePath, values: Partial<TreeVersion> = {}): TreeVersion {
  return { path, kind: 'file', mode: 0o644, mtimeNs: someTimeNs, bytes: Buffer.from('x'), ...values };
}

/** A directory. */
export function directory(path: TreePath, mode = 0o755): TreeVersion {
  return version(path, { kind: 'directory', mode, bytes: Buffer.alloc(0) });
}

/** A symlink. */
export function symlink(path: TreePath, target: string | Buffer): TreeVersion {
  return version(path, { kind: 'symlink', mode: 0o777, bytes: Buffer.from(target as string) });
}

/** Bytes that differ from chunk to chunk. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 31 + (at >> 16)) & 0xff;
  return bytes;
}

/** A byte string below another. */
export function joined(parent: TreePath, name: string): TreePath {
  return `${parent}/${name}` as TreePath;
}
