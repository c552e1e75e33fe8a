import type { Projection, TreePath } from '@deespec/domain';
import { createHash } from 'node:crypto';

/** What brings two versions of a journal together. */
export interface MergedLines {
  /** Complete lines that the files lack, in the order of the database; empty when they lack none. */
  readonly append: Buffer;
  /** What the files hold after `append` was appended: their own bytes first, unchanged. */
  readonly content: Buffer;
}

/**
 * True for a path whose content is a set of lines that programs append to: `*.ndjson`, `*.jsonl`, and the files of
 * `journal/` and of its days. What is inside a transaction's directory is written once and is no set of lines.
 */
export function isJournalPath(path: TreePath): boolean {
  return /\.(?:ndjson|jsonl)$|^journal\/(?:[^/]+\/)?[^/]+$/u.test(path);
}

/**
 * Brings the lines of a journal together without replacing a byte of the files. Beyond what both had, each line counts as
 * often as it occurs; blank lines do not count. A line of ours that stands behind another program's object on one line, because it came
 * between that program's two writes, is there. Because an appended line is then found in the files, a second merge, also
 * one after a crash, appends nothing twice. A last line without LF is a line; when the other side has it completed, it is
 * that line.
 *
 * @param base - length and hash of what both had; `undefined`: nothing is known
 * @returns `undefined` when the files no longer begin with what both had: somebody rewrote the journal
 */
export function mergeLines(
  base: Pick<Projection, 'size' | 'sha256'> | undefined,
  files: Buffer,
  database: Buffer,
): MergedLines | undefined {
  const size = base?.size ?? 0;
  if (base !== undefined && !beginsWith(files, base)) return undefined;
  const isExtended = files.subarray(0, size).equals(database.subarray(0, size));
  // From the beginning of a line: a line that was torn when both had it may be completed in one of them by now.
  const start = isExtended && size > 0 ? files.lastIndexOf(LF, size - 1) + 1 : 0;
  const torn = isExtended ? files.toString('latin1', start, size) : '';
  const lines = missing(linesOf(files, start), linesOf(database, start), torn);
  if (lines.length === 0) return { append: Buffer.alloc(0), content: files };
  const append = Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1');
  const isEnded = files.length === 0 || files.at(-1) === LF;
  const content = Buffer.concat([files, Buffer.from(isEnded ? '' : '\n'), append]);
  return { append, content };
}

const LF = 10;

function beginsWith(bytes: Buffer, { size, sha256 }: Pick<Projection, 'size' | 'sha256'>): boolean {
  if (bytes.length < size) return false;
  return createHash('sha256').update(bytes.subarray(0, size)).digest('hex') === sha256;
}

/** Lines as byte strings, without their LF; the last one is empty when the content ends in LF. */
function linesOf(bytes: Buffer, start: number): string[] {
  return bytes.toString('latin1', start).split('\n');
}

function missing(files: readonly string[], database: readonly string[], torn: string): string[] {
  const there = new Map<string, number>();
  for (const line of files) there.set(line, (there.get(line) ?? 0) + 1);
  return database.filter((line, index) => {
    if (line === '') return false;
    // What both had of a line that the files completed since; first, so that it does not pass for another line.
    if (index === 0 && line === torn && files[0] !== line && files[0]!.startsWith(line)) return false;
    const count = there.get(line) ?? 0;
    if (count > 0) {
      there.set(line, count - 1);
      return false;
    }
    const isUnended = index === database.length - 1;
    if (isUnended && files.some((other) => other.startsWith(line))) return false;
    return !(isOurs.test(line) && files.some((other) => other.includes(`}${line}`)));
  });
}

/** A journal line with our id, which no other line has. */
const isOurs = /^\{"artifacts":\[.*"id":"[0-9A-HJKMNP-TV-Z]{26}"/u;
