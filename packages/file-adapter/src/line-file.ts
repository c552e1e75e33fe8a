import { CHUNK_BYTES } from '@deespec/domain';

import { directoryOf } from './durable-write.js';
import { special, systemCode, type WriteStage } from './file-error.js';
import {
  APPEND_FLAGS,
  CREATE_APPEND_FLAGS,
  syncDirectory,
  writeAll,
  type FileSystem,
} from './file-system.js';
import { readAt } from './own-area.js';
import { kindOf, type TreeRoot } from './tree-root.js';

/** Lines for the end of a file. */
export interface LineAppend {
  /** Path below the root, a byte string. */
  readonly place: string;
  /** Whole lines, each ending in LF. */
  readonly lines: Uint8Array;
  /** Of the file when it is made. */
  readonly mode: number;
  /** False: the system writes it out when it likes. */
  readonly isSynced: boolean;
  /** Told how far it has come. */
  readonly advance: (stage: WriteStage) => void;
}

const LF = 0x0a;

/**
 * Appends lines in one write; makes the file when it is absent. A last line without LF, which another writer left or a crash of
 * this one, is ended first; when it is the first of `lines` but for its LF, it is that line.
 *
 * @throws errors of the system; StorageError `FILE.SPECIAL`
 */
export function appendLines(root: TreeRoot, append: LineAppend): void {
  const { system } = root;
  const target = root.at(append.place);
  const { handle, isNew } = openForAppend(system, target, append.mode);
  try {
    if (isNew) append.advance('after');
    const stat = system.fstatSync(handle, { bigint: true });
    if (kindOf(stat) !== 'file') throw special(append.place);
    if (isNew) system.fchmodSync(handle, append.mode);
    const rest = restOf(append.lines, tornTail(root, handle, Number(stat.size)));
    if (!isNew) append.advance('during');
    const written = system.writeSync(handle, rest, 0, rest.length);
    append.advance('after');
    writeAll(system, handle, rest.subarray(written));
    if (append.isSynced) system.fsyncSync(handle);
  } finally {
    system.closeSync(handle);
  }
  if (isNew && append.isSynced) syncDirectory(system, directoryOf(target));
}

function openForAppend(
  system: FileSystem,
  target: string | Buffer,
  mode: number,
): { readonly handle: number; readonly isNew: boolean } {
  try {
    return { handle: system.openSync(target, APPEND_FLAGS), isNew: false };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  try {
    return { handle: system.openSync(target, CREATE_APPEND_FLAGS, mode), isNew: true };
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error; // another program made it meanwhile
    return { handle: system.openSync(target, APPEND_FLAGS), isNew: false };
  }
}

/** What follows the last LF, at most 1 MiB of it. */
function tornTail(root: TreeRoot, handle: number, size: number): Buffer {
  const last = readAt(root, handle, { start: Math.max(0, size - 1), length: Math.min(1, size) });
  if (last.length === 0 || last[0] === LF) return Buffer.alloc(0);
  const length = Math.min(size, CHUNK_BYTES);
  const end = readAt(root, handle, { start: size - length, length });
  return end.subarray(end.lastIndexOf(LF) + 1);
}

function restOf(lines: Uint8Array, torn: Buffer): Buffer {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  if (torn.length === 0) return bytes;
  const isOurs = bytes.indexOf(LF) === torn.length && bytes.subarray(0, torn.length).equals(torn);
  return isOurs ? bytes.subarray(torn.length) : Buffer.concat([Buffer.from('\n'), bytes]);
}

/** Splits chunks into lines without their LF; the last one may lack it. Memory is bounded by the longest line. */
export function* splitLines(chunks: Iterable<Buffer>): Generator<Buffer> {
  let rest: Buffer[] = [];
  for (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      yield Buffer.concat([...rest, chunk.subarray(start, end)]);
      rest = [];
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}
