import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';

/** A lock that a process has on a range of a file. */
export interface FileLock {
  /** Not above 0 for a process that cannot be seen from here, such as one of another container. */
  readonly pid: number;
  readonly access: 'shared' | 'exclusive';
  /** First and last byte of the range. */
  readonly first: number;
  readonly last: number;
}

/** Bytes of the `-shm` file that readers of a log hold: the log is not begun anew before they are done. Source: sqlite.org/walformat.html, "WAL-Index Locks". */
const READ_MARKS = { first: 123, last: 127 };

/**
 * The locks on a file by what the kernel lists, so that a holder that did not announce itself has a name too. Looks at the file by
 * name only: a descriptor of a database, closed, would drop the locks of this process.
 *
 * @returns `undefined` where the system lists no locks
 */
export function locksOn(path: string): readonly FileLock[] | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return [];
  const device = deviceName(stat.dev);
  return lockTable()
    ?.filter((lock) => lock.inode === stat.ino && (lock.device === device || hasOpen(lock.pid, path)))
    .map(({ pid, access, first, last }) => ({ pid, access, first, last }));
}

/** Processes that read the log of a database at this moment; `undefined` where that cannot be told. */
export function logReaders(database: string): readonly number[] | undefined {
  const marks = locksOn(`${database}-shm`)?.filter(
    ({ access, first, last }) => access === 'shared' && first >= READ_MARKS.first && last <= READ_MARKS.last,
  );
  return marks && [...new Set(marks.map(({ pid }) => pid))];
}

interface TableRow extends FileLock {
  /** As the kernel writes it: major and minor number, hexadecimal. */
  readonly device: string;
  readonly inode: bigint;
}

/** One line: number, kind, mode, access, pid, device and inode, range. One that waits has an arrow. Source: proc_locks(5). */
const LINE =
  /^\d+: (?:POSIX|OFDLCK) +\S+ +(READ|WRITE) +(-?\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) (\d+) (\d+|EOF)$/gmu;

function lockTable(): TableRow[] | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/locks', 'latin1');
  } catch {
    return undefined; // no such list on this system
  }
  return [...text.matchAll(LINE)].map(([, access, pid, device, inode, first, last]) => ({
    pid: Number(pid),
    access: access === 'READ' ? 'shared' : 'exclusive',
    device: device!,
    inode: BigInt(inode!),
    first: Number(first),
    last: last === 'EOF' ? Infinity : Number(last),
  }));
}

/** Source: makedev(3), and the kernel's `%02x:%02x`. */
function deviceName(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return [major, minor].map((number) => number.toString(16).padStart(2, '0')).join(':');
}

/** Some file systems tell `stat` another device than the kernel's own. */
function hasOpen(pid: number, path: string): boolean {
  try {
    const real = realpathSync(path);
    const files = `/proc/${pid}/fd`;
    return readdirSync(files).some((name) => readlinkSync(`${files}/${name}`) === real);
  } catch {
    return false; // not ours to look at, or gone meanwhile
  }
}
