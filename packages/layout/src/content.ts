import { baseName, parentPath, timeFromNs } from '@deespec/domain';
import type { TreePath, TreeReader, TreeStat } from '@deespec/domain';

import type { Problem } from './rules.js';

/** Largest size, in bytes, of a `state.json`, `meta.yml` or transaction file that is parsed. */
export const STATE_BYTES = 1_048_576;
/** Largest size, in bytes, of a settings or workflow file that is parsed. */
export const SETTINGS_BYTES = 262_144;

/** Bytes of a small file, or why it is not interpreted. */
export type SmallContent =
  { readonly bytes: Buffer; readonly problem?: undefined } | { readonly problem: Problem };

/** What keeps the entry at an interpreted path from being a file to read, judged by its `lstat` alone. */
export function checkFile(stat: TreeStat): Problem | undefined {
  if (stat.kind === 'file') return undefined;
  return { rule: 'not-a-regular-file', expected: 'a regular file', actual: `a ${stat.kind}` };
}

/** Reads the whole file when it is one of at most `maxBytes`, and not all zero bytes. */
export function readSmall(reader: TreeReader, stat: TreeStat, maxBytes: number): SmallContent {
  const kind = checkFile(stat);
  if (kind !== undefined) return { problem: kind };
  const tooLarge: Problem = {
    rule: 'file-too-large',
    expected: `at most ${maxBytes} bytes`,
    actual: `${stat.size} bytes`,
  };
  if (stat.size > maxBytes) return { problem: tooLarge };
  const chunks: Buffer[] = [];
  let size = 0;
  for (const chunk of reader.read(stat.path)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) return { problem: tooLarge };
  }
  const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  return isZeroFilled([bytes]) ? { problem: zeroProblem(size) } : { bytes };
}

/** The problem of a step file or spec whose every byte is zero; reads only up to the first other byte. */
export function checkZeroFilled(reader: TreeReader, stat: TreeStat): Problem | undefined {
  return stat.size > 0 && isZeroFilled(reader.read(stat.path)) ? zeroProblem(stat.size) : undefined;
}

/** The finding for a file of `size` zero bytes. */
export function zeroProblem(size: number): Problem {
  return { rule: 'zero-filled', expected: 'content', actual: `${size} zero bytes` };
}

/** True when there is at least one byte and all are zero. */
export function isZeroFilled(chunks: Iterable<Buffer>): boolean {
  let size = 0;
  for (const chunk of chunks) {
    if (!isZero(chunk)) return false;
    size += chunk.length;
  }
  return size > 0;
}

const zeros = Buffer.alloc(65_536);

function isZero(bytes: Buffer): boolean {
  for (let start = 0; start < bytes.length; start += zeros.length) {
    const part = bytes.subarray(start, start + zeros.length);
    if (!part.equals(zeros.subarray(0, part.length))) return false;
  }
  return true;
}

/** The entry at `path` when every directory above it is a real one: nothing is looked for behind a symlink. */
export function findInTree(reader: TreeReader, path: TreePath): TreeStat | undefined {
  const parent = parentPath(path) as TreePath;
  if (baseName(path) !== path && reader.find(parent)?.kind !== 'directory') return undefined;
  return reader.find(path);
}

const earliest = -62_135_596_800_000_000_000n;
const latest = 253_402_300_799_999_999_999n;

/** A file time in the fixed-width form; times outside the years 1 to 9999, which some file systems allow, are cut to them. */
export function fileTime(nanoseconds: bigint): string {
  if (nanoseconds < earliest) return timeFromNs(earliest);
  return timeFromNs(nanoseconds > latest ? latest : nanoseconds);
}
