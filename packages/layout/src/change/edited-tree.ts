import {
  baseName,
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  displayPath,
  MOST_EVENTS,
  parentPath,
  StorageError,
  timeToNs,
} from '@deespec/domain';
import type {
  Checks,
  DerivedUnit,
  JournalEvent,
  JournalSpool,
  SbiId,
  TreeEntry,
  TreePath,
  TreeStat,
  TreeVersion,
  TreeView,
} from '@deespec/domain';
import { createHash } from 'node:crypto';

import { findInTree, readSmall, STATE_BYTES } from '../content.js';
import { contextOf } from '../context.js';
import { deriveUnit } from '../derive.js';
import { cannotExpress, malformed } from '../edit.js';
import { JournalReader } from '../journal-event.js';
import { readLines } from '../journal-lines.js';
import { JOURNAL, SBI_ROOT, sbiIdOfDirectory, sbiOfPath } from '../paths.js';
import { inScanOrder, scanKey } from '../scan-order.js';
import { MemorySpool } from '../spool.js';
import { groupUnits } from '../units.js';
import type { TreeUnit } from '../units.js';
import { EditList, type PlannedEdit } from './edit-list.js';

/** What edits are judged by. */
export interface EditedTreeOptions {
  readonly checks: Checks;
  /** The present: UTC, fixed width, see `parseTime`. */
  readonly now: string;
}

type Version = TreeVersion & { readonly bytes: Buffer };

/** A tree with edits on top: reads see them, nothing is changed. Holds the edits in memory, nothing of the tree below. */
export class EditedTree implements TreeView {
  private readonly list = new EditList();
  /** What was put, by SBI: an SBI is found without a look at the others. */
  private readonly versions = new Map<SbiId | undefined, Map<TreePath, Version>>();
  private readonly lines = new Map<TreePath, Buffer[]>();
  /** Directories of SBIs that were put, and directories that were discarded. */
  private readonly made = new Set<TreePath>();
  private readonly discarded = new Set<TreePath>();
  private readonly events = new MemorySpool();

  constructor(
    protected readonly base: TreeView,
    readonly options: EditedTreeOptions,
  ) {}

  /** In the order in which they are to be made; what is put twice is one edit. */
  get edits(): readonly PlannedEdit[] {
    return this.list.all;
  }

  /** The events of the tree below, then those of appended lines, whose number and offset are not known before they are written. */
  get journal(): JournalSpool {
    const { events } = this;
    const { journal } = this.base;
    return {
      add: (event) => events.add(event),
      eventsOf: (id) => [...journal.eventsOf(id), ...events.eventsOf(id)].slice(-MOST_EVENTS),
      countOf: (id) => journal.countOf(id) + events.countOf(id),
      picksOf: (id) => journal.picksOf(id) + events.picksOf(id),
    };
  }

  *scan(): Generator<TreeStat> {
    const put = [...this.versions.values()].flatMap((versions) => [...versions.values()]);
    const appended = [...this.lines.keys()].filter((path) => this.versionOf(path) === undefined);
    const own = [...put.map((version) => this.statOf(version)), ...appended.map((path) => this.find(path)!)];
    const rest = inScanOrder(own).values();
    let next = rest.next();
    for (const stat of this.base.scan()) {
      for (; next.done !== true && scanKey(next.value.path) < scanKey(stat.path); next = rest.next()) {
        yield next.value;
      }
      if (next.done === true || next.value.path !== stat.path) {
        if (!this.isGone(stat.path)) yield stat;
        continue;
      }
      yield next.value;
      next = rest.next();
    }
    for (; next.done !== true; next = rest.next()) yield next.value;
  }

  find(path: TreePath): TreeEntry | undefined {
    const version = this.versionOf(path);
    if (version === undefined && !this.lines.has(path)) {
      return this.isGone(path) ? undefined : this.base.find(path);
    }
    if (version?.kind === 'directory') return { ...this.statOf(version), sha256: DIRECTORY_SHA256 };
    const hash = createHash('sha256');
    let size = 0;
    for (const chunk of this.read(path)) {
      hash.update(chunk);
      size += chunk.length;
    }
    const mode = (version ?? this.base.find(path))?.mode ?? 0o644;
    return { ...this.statOf({ path, kind: 'file', mode }), size, sha256: hash.digest('hex') };
  }

  read(path: TreePath): Iterable<Buffer> {
    const version = this.versionOf(path);
    const lines = this.lines.get(path);
    if (version !== undefined) return withLines(chunksOf(version.bytes), lines ?? []);
    if (lines !== undefined)
      return withLines(this.base.find(path) === undefined ? [] : this.base.read(path), lines);
    if (!this.isGone(path)) return this.base.read(path);
    throw new StorageError('FILE.NOT_FOUND', `nothing stands at "${displayPath(path)}" any more`, {
      hint: 'list the directory again',
      details: { path: displayPath(path) },
    });
  }

  entriesOf(id: SbiId): readonly TreeStat[] {
    const own = this.versions.get(id) ?? new Map<TreePath, Version>();
    const others = this.base.entriesOf(id).filter(({ path }) => !own.has(path) && !this.isGone(path));
    return inScanOrder([...others, ...[...own.values()].map((version) => this.statOf(version))]);
  }

  newestSbis(limit: number): readonly TreePath[] {
    const known = this.base.newestSbis(limit + this.discarded.size).filter((path) => !this.isGone(path));
    return [...new Set([...known, ...this.made])].sort().reverse().slice(0, limit);
  }

  /** What an SBI's directory means now; `undefined` when there is none. */
  derive(id: SbiId): DerivedUnit | undefined {
    const unit = this.unitOf(id);
    if (unit === undefined) return undefined;
    return deriveUnit(unit, contextOf(this, this.options.checks), this);
  }

  /** The directory of an SBI; the first, when there are several. */
  protected unitOf(id: SbiId): TreeUnit | undefined {
    const [unit] = groupUnits(this.entriesOf(id));
    return unit;
  }

  /** The content of a file that is parsed, or `undefined` when there is none. @throws StorageError `LAYOUT.MALFORMED` */
  file(path: TreePath, maxBytes = STATE_BYTES): Buffer | undefined {
    const found = findInTree(this, path);
    if (found === undefined) return undefined;
    const content = readSmall(this, found, maxBytes);
    if (content.problem !== undefined) throw malformed(content.problem);
    return content.bytes;
  }

  /** @throws StorageError `LAYOUT.CANNOT_EXPRESS` when a line of the journal would not be read back */
  protected add(edit: PlannedEdit): void {
    if (edit.op === 'put') this.addVersion(edit.version);
    else if (edit.op === 'discard') this.hide(edit.path);
    else this.addLine(edit.path, edit.line);
    this.list.add(edit);
  }

  private addVersion(version: Version): void {
    const id = sbiOfPath(version.path)?.sbiId;
    const versions = this.versions.get(id) ?? new Map<TreePath, Version>();
    this.versions.set(id, versions.set(version.path, version));
    this.lines.delete(version.path);
    if (isSbiDirectory(version)) this.made.add(version.path);
  }

  /** @param directory - of an SBI: nothing else is discarded */
  private hide(directory: TreePath): void {
    this.discarded.add(directory);
    this.made.delete(directory);
    const versions = this.versions.get(sbiOfPath(directory)?.sbiId);
    for (const path of versions?.keys() ?? []) {
      if (path === directory || path.startsWith(`${directory}/`)) versions!.delete(path);
    }
  }

  private addLine(path: TreePath, line: Buffer): void {
    if (path === JOURNAL) this.events.add(this.eventOf(line));
    const lines = this.lines.get(path);
    if (lines === undefined) this.lines.set(path, [line]);
    else lines.push(line);
  }

  private eventOf(bytes: Buffer): JournalEvent {
    const reader = new JournalReader(this.options.checks, (id) => this.journal.picksOf(id));
    const [line] = readLines([bytes]);
    const { event, problems } = reader.read(line!);
    if (event !== undefined && problems.length === 0) {
      return { ...event, line: (this.journal.eventsOf(event.sbiId).at(-1)?.line ?? 0) + 1 };
    }
    const [{ expected, actual } = { expected: 'an event', actual: 'none' }] = problems;
    throw cannotExpress(
      ['journal'],
      `its line would not be read back: expected ${expected}, found ${actual}`,
    );
  }

  protected versionOf(path: TreePath): Version | undefined {
    return this.versions.get(sbiOfPath(path)?.sbiId)?.get(path);
  }

  /** True for what stands in the tree below and was discarded. */
  private isGone(path: TreePath): boolean {
    if (this.discarded.size === 0) return false;
    for (let at: string = path; at !== ''; at = parentPath(at as TreePath)) {
      if (this.discarded.has(at as TreePath)) return true;
    }
    return false;
  }

  private statOf({
    path,
    kind,
    mode,
    bytes,
  }: Pick<Version, 'path' | 'kind' | 'mode'> & Partial<Version>): TreeStat {
    return { path, kind, mode, mtimeNs: timeToNs(this.options.now), size: bytes?.length ?? 0 };
  }
}

function isSbiDirectory({ path, kind }: Version): boolean {
  const isBelow = kind === 'directory' && parentPath(path) === SBI_ROOT;
  return isBelow && sbiIdOfDirectory(baseName(path)) !== undefined;
}

function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

/** A content with lines behind it; a last line without LF is ended first. */
function* withLines(content: Iterable<Buffer>, lines: readonly Buffer[]): Generator<Buffer> {
  let last = LF;
  for (const chunk of content) {
    yield chunk;
    last = chunk.at(-1) ?? last;
  }
  if (last !== LF && lines.length > 0) yield Buffer.from([LF]);
  yield* lines;
}

const LF = 0x0a;
