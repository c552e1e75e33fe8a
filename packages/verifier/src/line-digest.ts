import { createHash } from 'node:crypto';
import type { DiskEntry } from './disk-entry.js';
import { DiskSorter } from './disk-sorter.js';
import type { Pace } from './pace.js';

/** What one line of the digest's text says. */
export interface DigestLine {
  readonly kind: 'f' | 'd' | 'l';
  /** As in `find -printf %m`. */
  readonly mode: string;
  /** SHA-256 (hex) of a file's content. */
  readonly sha256: string;
  /** Byte string of a symlink's target. */
  readonly target: string;
  /** Byte string below the root. */
  readonly path: string;
}

/** The line of an entry on disk. */
export function lineOf(entry: DiskEntry): DigestLine {
  const { kind, mode, sha256, target, path } = entry;
  return { kind, mode: mode.toString(8), sha256, target: target.toString('latin1'), path };
}

/** One line as a byte string, without its LF. Source: docs/digest.md, "The text". */
export function formatLine(line: DigestLine): string {
  const path = escapeName(line.path);
  if (line.kind === 'd') return `d ${line.mode} ${path}`;
  if (line.kind === 'l') return `l ${escapeName(line.target)} ${path}`;
  return `f ${line.mode} ${line.sha256} ${path}`;
}

/** Keeps a name on one line, one-to-one. */
function escapeName(name: string): string {
  return /[\\\n]/u.test(name) ? name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n') : name;
}

/** Bytes of lines that are sorted in memory, some 30,000 entries: above that memory would grow. Source: measured. */
const memoryBytes = 4 * 1_048_576;

/** Sorts lines bytewise and hashes them; beyond a bound it sorts on disk, so memory stays flat. Close it. */
export class LineDigest {
  #lines: string[] = [];
  #bytes = 0;
  #spilled: DiskSorter | undefined;

  /** @param limitBytes - lines beyond this many bytes go to disk */
  constructor(private readonly limitBytes = memoryBytes) {}

  add(line: DigestLine): void {
    // A joined string keeps its parts; a flat copy takes a third of the memory.
    const text = Buffer.from(formatLine(line), 'latin1').toString('latin1');
    this.#lines.push(text);
    this.#bytes += text.length;
    if (this.#bytes > this.limitBytes) this.#spill();
  }

  /** The digest (hex) of every line added; `onLine` gets them in order, without LF. */
  async finish(pace: Pace, onLine?: (line: Buffer) => void): Promise<string> {
    const sum = createHash('sha256');
    for (const block of this.#blocks(onLine)) {
      sum.update(block, 'latin1');
      if (pace.due) await pace.turn();
    }
    return sum.digest('hex');
  }

  /** {@link finish} without a turn for anybody else. */
  finishNow(): string {
    const sum = createHash('sha256');
    for (const block of this.#blocks()) sum.update(block, 'latin1');
    return sum.digest('hex');
  }

  close(): void {
    this.#spilled?.close();
  }

  /** The text in blocks of some size. */
  *#blocks(onLine?: (line: Buffer) => void): Generator<string, void, undefined> {
    let block = '';
    for (const line of this.#sorted()) {
      onLine?.(Buffer.from(line, 'latin1'));
      block += `${line}\n`;
      if (block.length < 65_536) continue;
      yield block;
      block = '';
    }
    yield block;
  }

  *#sorted(): Generator<string, void, undefined> {
    if (this.#spilled === undefined) {
      yield* this.#lines.sort();
      return;
    }
    this.#spill();
    for (const { key } of this.#spilled.sorted()) yield key;
  }

  #spill(): void {
    this.#spilled ??= new DiskSorter();
    for (const line of this.#lines) this.#spilled.add(line, '');
    this.#lines = [];
    this.#bytes = 0;
  }
}
