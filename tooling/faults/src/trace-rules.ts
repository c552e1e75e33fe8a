import { dirname } from 'node:path';

import type { Place } from './place.js';
import { describeCall, type Call, type Trace } from './trace.js';

/** A breach of the rules of durability in a trace. */
export interface Breach {
  readonly rule:
    | 'unsynced-file'
    | 'unsynced-directory'
    | 'foreign-open'
    | 'source-written'
    | 'unrecorded-change'
    | 'closed-early'
    | 'cleared-early'
    | 'replaced-unkept';
  readonly what: string;
}

/** What a run may do to its tree. */
export interface TreeAccess {
  /** True when it may write there: by renames, and by appending. */
  readonly isWriter: boolean;
  /** True when each change must be noted down durably before it begins; else some need not, such as a key that names the mode. */
  readonly isRecorded: boolean;
  /** Every path that the tree had before, absolute. */
  readonly paths: ReadonlySet<string>;
}

const reader: TreeAccess = { isWriter: false, isRecorded: false, paths: new Set() };

/** Calls that the rules need beside those that change something. */
export const ruleCalls = ['close', 'execve', 'clone', 'clone3', 'fork', 'vfork'] as const;

const sidecarEnds = ['', '-wal', '-shm', '-journal'];

/**
 * Judges a whole run that ended well by its system calls:
 *
 * - no file gets the name that it is relied on under before its bytes are synced;
 * - every directory that got such a name, or one above it, is synced before the process ends;
 * - whatever a published database needs is synced before it gets its name;
 * - no process opens a database, or a file beside one, that SQLite has open in that process, other than through SQLite;
 * - nothing is written into the tree but the database and `.storage/`, unless it is a command that writes there. Then
 *   - what it puts there comes by a rename of a synced file, what it appends is synced, and what it replaces has a second name;
 *   - the tree changes only when a synced intent or a synced commit says what is to become of it;
 *   - an intent ends when the tree and the record of the change are synced, a debt when the database is, and the database
 *     hears of files only when they are.
 *
 * Source: "How To Corrupt An SQLite Database File", sqlite.org, sections 2.2 and 3; All File Systems Are Not Created Equal
 * (OSDI 2014), section 4.
 */
export function checkTrace(trace: Trace, place: Place, access: TreeAccess = reader): Breach[] {
  const checker = new TraceChecker(trace, { place, access });
  for (const call of trace.calls) if (!call.result.startsWith('-1')) checker.take(call);
  checker.end();
  return checker.breaches;
}

class TraceChecker {
  readonly breaches: Breach[] = [];
  /** Files whose bytes were written and not synced. */
  private readonly unsynced = new Set<string>();
  /** Names that came into a directory, by directory, and are not synced. */
  private readonly pending = new Map<string, Set<string>>();
  /** Descriptors by which SQLite has a file open, by process: `path` -> count. */
  private readonly sqliteOpen = new Map<string, number>();
  /** Processes of other programs: what they open takes no lock from this one. */
  private readonly others = new Set<number>();
  /** Names that a file of the tree has among the replaced files. */
  private readonly kept = new Set<string>();
  private readonly present: Set<string>;
  private intent: 'none' | 'synced' | 'durable' = 'none';
  private log: 'none' | 'written' | 'synced' = 'none';
  /** True when the chain of changes outside the database is the only one: under file truth, where an intent holds its records. */
  private isAuditOwed = false;
  private readonly place: Place;
  private readonly access: TreeAccess;
  private readonly audit: string;

  constructor(
    private readonly trace: Trace,
    { place, access }: { readonly place: Place; readonly access: TreeAccess },
  ) {
    this.place = place;
    this.access = access;
    this.present = new Set(access.paths);
    this.audit = `${place.home}/.storage/audit.ndjson`;
  }

  take(call: Call): void {
    const { name, pid } = call;
    if (name === 'execve' && pid !== this.trace.mainPid) this.others.add(pid);
    if (name === 'openat') this.open(call);
    else if (name === 'close') this.close(call);
    else if (/^p?write/u.test(name)) this.write(call);
    else if (name === 'fsync' || name === 'fdatasync') this.sync(descriptorPath(call));
    else if (name === 'syncfs') this.syncAll();
    else if (name.startsWith('rename') || name.startsWith('link')) this.name(call);
    else if (name.startsWith('mkdir') || name.startsWith('symlink')) this.enter(namedPaths(call).at(-1)!);
    if (/^(?:rename|link|mkdir|symlink|unlink|rmdir)/u.test(name)) this.changeNames(call);
  }

  /** What is relied on when the process ends. */
  end(): void {
    for (const [directory, names] of this.pending) {
      for (const path of names) {
        if (this.isReliedOn(path)) this.breach('unsynced-directory', `${path} in ${directory}`);
      }
    }
    for (const path of this.unsynced) {
      if (this.isReliedOn(path)) this.breach('unsynced-file', path);
    }
  }

  private open(call: Call): void {
    const path = namedPaths(call).at(-1);
    if (path === undefined) return;
    const { args } = call;
    if (args.includes('O_CREAT')) this.enter(path);
    const isWrite = /O_WRONLY|O_RDWR|O_TRUNC/u.test(args) && this.isSource(path);
    const isFine = isTemporary(path) || this.isLock(path) || args.includes('O_APPEND');
    if (isWrite && !(this.access.isWriter && isFine)) this.breach('source-written', describe(call));
    if (this.others.has(call.pid)) return;
    // SQLite opens its files with these flags, the product's own code with others. Source: sqlite3.c, unixOpen.
    const isSqlite =
      args.includes('O_NOFOLLOW') && !args.includes('O_NONBLOCK') && !args.includes('O_WRONLY');
    if (isSqlite && isDatabaseFile(path)) this.sqliteOpen.set(path, (this.sqliteOpen.get(path) ?? 0) + 1);
    else if (isDatabaseFile(path) && this.isOpen(path)) this.breach('foreign-open', describe(call));
  }

  /** True when SQLite has the database open that `path` is, or lies beside. */
  private isOpen(path: string): boolean {
    const main = path.replace(/-(?:wal|shm|journal)$/u, '');
    return sidecarEnds.some((end) => (this.sqliteOpen.get(main + end) ?? 0) > 0);
  }

  private close(call: Call): void {
    const path = descriptorPath(call);
    const count = this.sqliteOpen.get(path);
    if (count !== undefined) this.sqliteOpen.set(path, Math.max(0, count - 1));
  }

  private write(call: Call): void {
    const path = descriptorPath(call);
    this.unsynced.add(path);
    if (path === `${this.place.database}-wal`) {
      this.log = 'written';
      this.requireSynced('cleared-early', call);
    } else if (this.isTree(path)) this.requireRecord(call);
    this.isAuditOwed ||= path === this.audit && this.intent === 'durable';
  }

  /** A name of the tree, or of what is noted down about it, comes, goes or is replaced. */
  private changeNames(call: Call): void {
    if (!this.access.isWriter) return;
    const [from, to = from] = namedPaths(call);
    if (from === undefined || to === undefined) return;
    if (call.name.startsWith('link') && to.includes('/conflicts/replaced/')) this.kept.add(from);
    if (/\/dirty\/[^/]+\.edit$/u.test(from)) {
      this.requireSynced('closed-early', call);
      this.intent = 'none';
    }
    const isCleared = call.name.startsWith('unlink') && from.endsWith('.debt');
    if (isCleared && this.log !== 'synced') this.breach('cleared-early', describe(call));
    if (this.isTree(to)) this.changeTree(call, to);
  }

  private changeTree(call: Call, path: string): void {
    this.requireRecord(call);
    this.enter(path);
    const isPut = call.name.startsWith('rename');
    if (isPut && this.present.has(path) && !this.kept.has(path))
      this.breach('replaced-unkept', describe(call));
    if (isPut || call.name.startsWith('link')) this.present.add(path);
    else if (/^(?:unlink|rmdir)/u.test(call.name)) this.present.delete(path);
  }

  /** Before the tree changes. */
  private requireRecord(call: Call): void {
    if (!this.access.isRecorded || this.intent === 'durable' || this.log === 'synced') return;
    this.breach('unrecorded-change', describe(call));
  }

  /** What was done to the tree must be durable by now. */
  private requireSynced(rule: Breach['rule'], call: Call): void {
    const names = [...this.pending.values()].flatMap((paths) => [...paths]);
    const isOpen = (path: string): boolean => this.isTree(path) || this.isOwedAudit(path);
    const open = [...names, ...this.unsynced].filter(isOpen);
    if (open.length > 0) this.breach(rule, `${describe(call)} while ${open.join(', ')} is not synced`);
  }

  private enter(path: string): void {
    const directory = dirname(path);
    const names = this.pending.get(directory) ?? new Set<string>();
    this.pending.set(directory, names.add(path));
  }

  private sync(path: string): void {
    this.unsynced.delete(path);
    this.pending.delete(path);
    const own = `${this.place.home}/.storage`;
    if (path.startsWith(`${own}/dirty/`) && path.endsWith('.edit')) this.intent = 'synced';
    else if (path === `${own}/dirty` && this.intent === 'synced') this.intent = 'durable';
    if (path === `${this.place.database}-wal` && this.log === 'written') this.log = 'synced';
  }

  private syncAll(): void {
    this.unsynced.clear();
    this.pending.clear();
  }

  private name(call: Call): void {
    const [from, to] = namedPaths(call);
    if (from === undefined || to === undefined) return;
    if (this.unsynced.has(from) && this.isReliedOn(to)) this.breach('unsynced-file', describe(call));
    this.unsynced.delete(from);
    if (to === this.place.database) this.requireOwnNames();
    this.enter(to);
  }

  /** A published database belongs to a tree only through `.storage/epoch`: both must be there after a power cut. */
  private requireOwnNames(): void {
    const own = `${this.place.home}/.storage`;
    for (const path of [own, `${own}/epoch`]) {
      const isPending = this.pending.get(dirname(path))?.has(path) === true;
      if (isPending) this.breach('unsynced-directory', `${path} when the database got its name`);
    }
  }

  /** What must be there after a power cut, backups too. Locks, notes of processes, runs and the last scan need not. */
  private isReliedOn(path: string): boolean {
    const { home, database, output } = this.place;
    const own = `${home}/.storage`;
    const names = [database, own, `${own}/epoch`, output];
    if (names.includes(path) || path.startsWith(`${output}/`)) return true;
    if (path.startsWith(`${home}/backups/backup_`)) return true;
    return this.isTree(path) || this.isOwedAudit(path);
  }

  private isOwedAudit(path: string): boolean {
    return this.isAuditOwed && path === this.audit;
  }

  /** Content of the tree, where a run may write it. */
  private isTree(path: string): boolean {
    return this.access.isWriter && this.isSource(path) && !isTemporary(path) && !this.isLock(path);
  }

  /** The locks of the workflow tool: gone when the command ends, and worth nothing after a power cut. */
  private isLock(path: string): boolean {
    return ['var/state.lock', 'var/runlock'].some((lock) => path === `${this.place.home}/${lock}`);
  }

  private isSource(path: string): boolean {
    const { home, database } = this.place;
    if (!path.startsWith(`${home}/`) || `${path}/`.startsWith(`${home}/.storage/`)) return false;
    if (path.startsWith(`${home}/backups/`) && isOfBackup(path)) return false;
    return !sidecarEnds.some((end) => path === database + end);
  }

  private breach(rule: Breach['rule'], what: string): void {
    this.breaches.push({ rule, what: what.replaceAll(`${this.place.directory}/`, '') });
  }
}

/** A backup, its manifest, or one that is about to be put there. */
function isOfBackup(path: string): boolean {
  return isTemporary(path) || /\/backups\/backup_\d{8}_\d{6}_\d+\.db/u.test(path);
}

function isTemporary(path: string): boolean {
  return path.includes('/.tmp-deespec-');
}

function isDatabaseFile(path: string): boolean {
  return /\.db(?:-wal|-shm|-journal)?$/u.test(path);
}

/** The path of the descriptor that a call works on. */
function descriptorPath({ args }: Call): string {
  return /^\d+<([^>]*)>/u.exec(args)?.[1] ?? '';
}

/** The paths that a call names, in order. */
function namedPaths({ args }: Call): string[] {
  return [...args.matchAll(/"((?:[^"\\]|\\.)*)"/gu)].map(([, path]) => path!);
}

function describe(call: Call): string {
  return describeCall(call, '');
}
