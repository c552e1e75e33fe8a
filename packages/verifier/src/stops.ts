import { lstatSync, opendirSync, readdirSync, type Dirent } from 'node:fs';
import { DiskSorter } from './disk-sorter.js';

/** What a directory listing says stands at a name. */
export type FoundKind = 'file' | 'directory' | 'symlink' | 'special';

/** A stop in one directory: an entry, or the place in the order where a directory's content belongs (`content`). */
export interface Stop {
  /** Byte string: one character per byte of the name. */
  readonly name: string;
  readonly kind: FoundKind | 'content';
}

/** A directory entry whose name is bytes. */
type NamedEntry = Omit<Dirent, 'name'> & { readonly name: Buffer };

/**
 * The stops of one directory in the byte order of whole paths: the content of `a` has the key `a/`, so it comes after an
 * entry `a.b`. A directory file above `largeBytes` is sorted on disk.
 *
 * @throws an error of the file system, `ENOENT` included
 */
export function listStops(directory: Buffer, largeBytes: number): Iterator<Stop, void> {
  const large = lstatSync(directory).size > largeBytes;
  return large ? sortOnDisk(directory) : sortInMemory(directory).values();
}

function sortInMemory(directory: Buffer): Stop[] {
  // Node takes "buffer" here, and only then knows kinds on every file system; its types do not admit the combination.
  const options = { encoding: 'buffer' as BufferEncoding, withFileTypes: true } as const;
  const keyed: [string, Stop['kind']][] = [];
  for (const entry of readdirSync(directory, options) as unknown as NamedEntry[]) addKeys(entry, keyed);
  keyed.sort(([a], [b]) => (a < b ? -1 : 1));
  return keyed.map(([key, kind]) => toStop(key, kind));
}

function* sortOnDisk(directory: Buffer): Generator<Stop, void, undefined> {
  const sorter = new DiskSorter();
  try {
    for (const entry of streamNames(directory)) {
      const keyed: [string, Stop['kind']][] = [];
      addKeys(entry, keyed);
      for (const [key, kind] of keyed) sorter.add(key, kind);
    }
    for (const { key, label } of sorter.sorted()) yield toStop(key, label as Stop['kind']);
  } finally {
    sorter.close();
  }
}

function* streamNames(directory: Buffer): Generator<NamedEntry, void, undefined> {
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 1024 };
  const dir = opendirSync(directory, options);
  try {
    const next = () => dir.readSync() as unknown as NamedEntry | null;
    for (let entry = next(); entry !== null; entry = next()) yield entry;
  } finally {
    dir.closeSync();
  }
}

function addKeys(entry: NamedEntry, keyed: [string, Stop['kind']][]): void {
  const name = entry.name.toString('latin1');
  const kind = kindOf(entry);
  keyed.push([name, kind]);
  if (kind === 'directory') keyed.push([`${name}/`, 'content']);
}

function toStop(key: string, kind: Stop['kind']): Stop {
  return { name: kind === 'content' ? key.slice(0, -1) : key, kind };
}

function kindOf(entry: NamedEntry): FoundKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'special';
}
