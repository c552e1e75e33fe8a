import { displayPath, StorageError } from '@deespec/domain';
import type { DifferenceKind, Differences } from './differences.js';
import { digestDisk, type DiskDigest } from './disk-digest.js';
import type { DiskEntry } from './disk-entry.js';
import type { DiskProcess } from './disk-process.js';
import { LineDigest } from './line-digest.js';
import type { Pace } from './pace.js';
import { ContentCheck, describe, recorded, text, type StoredContent } from './stored-content.js';
import type { EntryRow, FullRow, StoredTree } from './stored-tree.js';
import { Counter, type Tally } from './tally.js';
import type { TreeScan } from './tree-scan.js';

/** What a comparison works on. */
export interface Sides {
  /** The tree on disk, and a process that reads it in its place. */
  readonly scan: TreeScan;
  readonly process: DiskProcess | undefined;
  readonly stored: StoredTree;
  readonly differences: Differences;
  readonly pace: Pace;
  /** `content`: read every byte of both sides. `stat`: trust a recorded hash where size and time agree. */
  readonly depth: 'stat' | 'content';
}

type Row = EntryRow | FullRow;

/** Entries with another time that are kept by path; all are counted. A bound, so that memory stays flat. */
const keptTimes = 1000;

/** What a comparison counted. */
export interface TreeComparison {
  /** Digest of the tree on disk; only with `checkAll`. */
  readonly treeDigest?: string;
  /** Digest of the tree in the database, from the stored bytes; only with `checkAll`. */
  readonly databaseDigest?: string;
  /** The tree on disk. */
  readonly treeTally: Tally;
  /** The tree in the database: bytes as read with `checkAll`, else as recorded. */
  readonly storedTally: Tally;
  /** Litter of other programs on disk. */
  readonly ignoredTally: Tally;
  /** All that was met on disk, except what this product keeps beside the tree. */
  readonly scannedTally: Tally;
  /** Entries whose modification time differs by a microsecond or more; no difference. */
  readonly timeDifferences: number;
  /** Paths of the first 1,000 of them, byte strings. */
  readonly otherTimes: readonly string[];
  /** Entries in the database that are kept but not interpreted. */
  readonly quarantined: number;
}

/** Walks the tree and the rows of the database together, both in the byte order of their paths. */
export class SideBySide {
  readonly #storedLines = new LineDigest();
  readonly #tree = new Counter();
  readonly #stored = new Counter();
  readonly #contents: ContentCheck;
  #rows: Iterator<Row, unknown> | undefined;
  /** The row that is compared next, and its path. */
  #row: Row | undefined;
  #rowPath: string | undefined;
  #rowsLeft: number;
  #timeDifferences = 0;
  readonly #otherTimes: string[] = [];
  #quarantined = 0;

  constructor(private readonly sides: Sides) {
    this.#contents = new ContentCheck(sides.stored, sides.differences, sides.pace);
    this.#rowsLeft = sides.stored.rowBound;
  }

  async run(): Promise<TreeComparison> {
    const { stored, depth, pace } = this.sides;
    const rows = depth === 'content' ? stored.fullEntries() : stored.entries();
    let disk: Partial<DiskDigest> & Pick<DiskDigest, 'count'>;
    try {
      this.#rows = rows;
      this.#advance();
      disk = await this.#readDisk();
      while (this.#row !== undefined) await this.#passStored(this.#row);
    } finally {
      rows.return?.();
    }
    const { digest: treeDigest, count } = disk;
    return {
      ...(treeDigest !== undefined && { treeDigest }),
      ...(depth === 'content' && { databaseDigest: await this.#storedLines.finish(pace) }),
      treeTally: this.#tree.tally,
      storedTally: this.#stored.tally,
      ignoredTally: count.ignored,
      scannedTally: count.scanned,
      timeDifferences: this.#timeDifferences,
      otherTimes: this.#otherTimes,
      quarantined: this.#quarantined,
    };
  }

  async #readDisk(): Promise<Partial<DiskDigest> & Pick<DiskDigest, 'count'>> {
    const { scan, process, depth, pace } = this.sides;
    const onEntry = (disk: DiskEntry): Promise<void> => this.#meet(disk);
    if (depth === 'stat') return { count: await scan.run('stat', onEntry) };
    return process === undefined ? digestDisk(scan, pace, { onEntry }) : process.run({ onEntry });
  }

  close(): void {
    this.#storedLines.close();
  }

  #advance(): void {
    const last = this.#row?.path;
    const next = this.#rows?.next();
    this.#row = next === undefined || next.done === true ? undefined : next.value;
    this.#rowPath = this.#row === undefined ? undefined : pathOf(this.#row);
    this.#requireOrder(last);
  }

  /** Rows out of order mean pages that refer to one another in circles: such a scan need not end. */
  #requireOrder(last: unknown): void {
    const path = this.#row?.path;
    const isNext = !Buffer.isBuffer(path) || !Buffer.isBuffer(last) || path.compare(last) > 0;
    this.#rowsLeft -= 1;
    if (isNext && this.#rowsLeft >= 0) return;
    throw new StorageError('DATABASE.CORRUPT', 'the rows of tree_entry come twice or out of order', {
      hint: 'stop using the database; restore it from a backup, or move it away and migrate the tree again',
      details: { differences: this.sides.differences.kept },
    });
  }

  /** Takes an entry on disk: first whatever the database has before it, then its own row. */
  async #meet(disk: DiskEntry): Promise<void> {
    while (this.#row !== undefined && this.#rowPath! < disk.path) await this.#passStored(this.#row);
    this.#tree.add(disk.size);
    const row = this.#row;
    if (row === undefined || this.#rowPath !== disk.path) {
      this.#report('missing-in-database', disk.path, { expected: describeDisk(disk), actual: 'nothing' });
      return;
    }
    const content = await this.#takeRow(row, disk.path);
    await this.#compare(disk, row, content);
  }

  /** Takes a row that nothing on disk belongs to. */
  async #passStored(row: Row): Promise<void> {
    const path = pathOf(row);
    this.#report('missing-in-tree', path, { expected: describeRow(row), actual: 'nothing' });
    await this.#takeRow(row, path);
  }

  /** Counts a row, checks what the database holds for it, and moves on to the next. */
  async #takeRow(row: Row, path: string): Promise<StoredContent | undefined> {
    this.sides.pace.addEntry();
    if (this.sides.pace.due) await this.sides.pace.turn();
    if (row.state === 'quarantined') this.#quarantined += 1;
    if (!isFull(row)) {
      this.#stored.add(typeof row.size === 'bigint' ? Number(row.size) : 0);
      this.#advance();
      return undefined;
    }
    const content = await this.#contents.check(row, displayPath(path));
    this.#stored.add(content.size);
    const kind = row.kind === 'd' || row.kind === 'l' ? row.kind : 'f';
    const { sha256 } = content;
    this.#storedLines.add({
      kind,
      mode: octal(row.mode),
      sha256,
      target: content.target.toString('latin1'),
      path,
    });
    this.#advance();
    return content;
  }

  async #compare(disk: DiskEntry, row: Row, content: StoredContent | undefined): Promise<void> {
    if (typeof row.mtime_ns !== 'bigint' || microseconds(row.mtime_ns) !== microseconds(disk.mtimeNs)) {
      this.#timeDifferences += 1;
      if (this.#otherTimes.length < keptTimes) this.#otherTimes.push(disk.path);
    }
    if (disk.kind !== row.kind) {
      this.#report('kind', disk.path, { expected: kindName(disk.kind), actual: kindName(row.kind) });
      return;
    }
    // The permission bits of a symlink mean nothing and cannot be set.
    if (disk.kind !== 'l' && octal(disk.mode) !== octal(row.mode)) {
      this.#report('mode', disk.path, { expected: octal(disk.mode), actual: octal(row.mode) });
    }
    if (disk.kind === 'l' && disk.sha256 !== row.sha256) this.#reportTarget(disk, row, content);
    if (disk.kind === 'f') await this.#compareFile(disk, row);
  }

  async #compareFile(disk: DiskEntry, row: Row): Promise<void> {
    if (disk.sha256 === '' && BigInt(disk.size) === row.size && disk.mtimeNs === row.mtime_ns) return;
    const read = disk.sha256 === '' ? await this.sides.scan.reread(disk.path) : disk;
    if (read?.sha256 === row.sha256 && BigInt(read?.size ?? 0) === row.size) return;
    this.#report('content', disk.path, {
      expected: read === undefined ? 'nothing' : describe(read),
      actual: recorded(row),
    });
  }

  #reportTarget(disk: DiskEntry, row: Row, content: StoredContent | undefined): void {
    const actual = content === undefined ? recorded(row) : displayPath(content.target.toString('latin1'));
    this.#report('target', disk.path, { expected: displayPath(disk.target.toString('latin1')), actual });
  }

  #report(
    what: DifferenceKind,
    path: string,
    values: { readonly expected: string; readonly actual: string },
  ): void {
    this.sides.differences.add({ what, where: displayPath(path), ...values }, path);
  }
}

function isFull(row: Row): row is FullRow {
  return 'content_bytes' in row;
}

/** The path of a row as a byte string. */
function pathOf(row: Row): string {
  return Buffer.isBuffer(row.path) ? row.path.toString('latin1') : text(row.path);
}

function octal(mode: unknown): string {
  return typeof mode === 'number' || typeof mode === 'bigint' ? mode.toString(8) : text(mode);
}

function microseconds(nanoseconds: bigint): bigint {
  return nanoseconds / 1000n;
}

function kindName(kind: unknown): string {
  if (kind === 'd') return 'directory';
  if (kind === 'l') return 'symlink';
  return kind === 'f' ? 'file' : text(kind);
}

function describeDisk(disk: DiskEntry): string {
  return `${kindName(disk.kind)}, mode ${octal(disk.mode)}, ${disk.size} bytes`;
}

function describeRow(row: Row): string {
  return `${kindName(row.kind)}, mode ${octal(row.mode)}, ${text(row.size)} bytes`;
}
