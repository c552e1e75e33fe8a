import type { Projection, TreePath } from '@deespec/domain';
import { createHash } from 'node:crypto';

/** A content, from its beginning each time. */
export type Content = () => Iterable<Buffer>;

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
 * Memory holds what stands behind that, and both contents when the database no longer begins with it.
 *
 * @param base - length and hash of what both had; `undefined`: nothing is known
 * @returns complete lines that the files lack, in the order of the database; `undefined` when the files no longer begin with what
 *   both had: somebody rewrote the journal
 */
export function mergeLines(
  base: Pick<Projection, 'size' | 'sha256'> = NOTHING,
  files: Content,
  database: Content,
): readonly Buffer[] | undefined {
  const [own, other] = [restOf(files(), base), restOf(database(), base)];
  if (!own.isContinued) return undefined;
  const lines = other.isContinued
    ? missing(linesOf([own.bytes]), linesOf([other.bytes]), own.torn)
    : missing(linesOf(files()), linesOf(database()), '');
  return lines.map((line) => Buffer.from(`${line}\n`, 'latin1'));
}

const LF = 10;
const NOTHING = { size: 0, sha256: createHash('sha256').digest('hex') };

/** What stands behind what both had. */
interface Rest {
  /** The content begins with what both had. */
  readonly isContinued: boolean;
  /** From the beginning of a line: one that was torn when both had it may be completed by now. */
  readonly bytes: Buffer;
  /** As much of that line as both had, a byte string. */
  readonly torn: string;
}

function restOf(chunks: Iterable<Buffer>, { size, sha256 }: Pick<Projection, 'size' | 'sha256'>): Rest {
  const hash = createHash('sha256');
  let left = size;
  let torn: Buffer[] = [];
  const behind: Buffer[] = [];
  for (const chunk of chunks) {
    const known = chunk.subarray(0, left);
    hash.update(known);
    left -= known.length;
    const end = known.lastIndexOf(LF) + 1;
    if (end > 0) torn = [];
    // Copies: a reader may fill the chunk again.
    if (end < known.length) torn.push(Buffer.from(known.subarray(end)));
    if (known.length < chunk.length) behind.push(Buffer.from(chunk.subarray(known.length)));
  }
  const isContinued = left === 0 && hash.digest('hex') === sha256;
  return {
    isContinued,
    bytes: Buffer.concat([...torn, ...behind]),
    torn: Buffer.concat(torn).toString('latin1'),
  };
}

/** Lines as byte strings, without their LF; the last one is empty when the content ends in LF. */
function linesOf(chunks: Iterable<Buffer>): string[] {
  return Buffer.concat([...chunks])
    .toString('latin1')
    .split('\n');
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
