import {
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  displayPath,
  joinPath,
  parentPath,
  StorageError,
  type ErrorCode,
  type Expected,
  type Index,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeStore,
  type TreeVersion,
} from '@deespec/domain';
import { DerivedIndex } from '@deespec/file-adapter';
import { deriveTree, MemorySpool } from '@deespec/layout';
import { checks } from '@deespec/validators';
import { createHash } from 'node:crypto';

/** The reference: the least code that satisfies the ports, for comparison and for tests of packages above. */
export function openMemoryStorage(options: { readonly now?: () => Date } = {}): {
  readonly store: MemoryTreeStore;
  readonly index: Index;
} {
  const store: MemoryTreeStore = new MemoryTreeStore(options.now ?? (() => new Date()), () =>
    index.invalidate(),
  );
  const index = new DerivedIndex({
    read: (path) => store.read(path),
    derive: () => deriveTree(store, { checks, spool: new MemorySpool() }),
  });
  return { store, index };
}

interface Stored {
  readonly entry: TreeEntry;
  readonly bytes: Buffer;
}

/** A tree in a Map. */
export class MemoryTreeStore implements TreeStore {
  readonly #entries = new Map<TreePath, Stored>();

  constructor(
    private readonly now: () => Date,
    private readonly onChange: () => void,
  ) {}

  *scan(): Generator<TreeStat> {
    // With the separator below every other byte, a directory's content follows it directly.
    const order = (path: string): string => path.replaceAll('/', '\0');
    const paths = [...this.#entries.keys()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
    for (const path of paths) {
      const { sha256: _, ...stat } = this.#entries.get(path)!.entry;
      yield stat;
    }
  }

  find(path: TreePath): TreeEntry | undefined {
    return this.#entries.get(path)?.entry;
  }

  *read(path: TreePath): Generator<Buffer> {
    const stored = this.#entries.get(path);
    if (stored === undefined) throw failure('FILE.NOT_FOUND', path);
    for (let start = 0; start < stored.bytes.length; start += CHUNK_BYTES) {
      yield stored.bytes.subarray(start, start + CHUNK_BYTES);
    }
  }

  async putIf(version: TreeVersion, expected: Expected): Promise<TreeEntry> {
    const path = joinPath('', version.path);
    const parent = parentPath(path) as TreePath;
    if (parent !== ('' as TreePath) && this.find(parent)?.kind !== 'directory') {
      throw failure('FILE.NOT_FOUND', parent);
    }
    const present = this.find(path);
    if (present?.sha256 !== expected) throw failure('FILE.CHANGED', path);
    if (present !== undefined && (present.kind === 'directory') !== (version.kind === 'directory')) {
      throw failure('FILE.CHANGED', path);
    }
    const bytes = Buffer.from(version.bytes);
    const entry: TreeEntry = {
      path,
      kind: version.kind,
      mode: version.mode,
      mtimeNs: version.mtimeNs ?? BigInt(this.now().getTime()) * 1_000_000n,
      size: bytes.length,
      sha256: version.kind === 'directory' ? DIRECTORY_SHA256 : sha256(bytes),
    };
    this.#entries.set(path, { entry, bytes });
    this.onChange();
    return entry;
  }

  async removeIf(path: TreePath, expected: string): Promise<void> {
    const present = this.find(path);
    if (present === undefined) throw failure('FILE.NOT_FOUND', path);
    const hasChildren = [...this.#entries.keys()].some((other) => other.startsWith(`${path}/`));
    if (present.sha256 !== expected || hasChildren) throw failure('FILE.CHANGED', path);
    this.#entries.delete(path);
    this.onChange();
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function failure(code: ErrorCode, path: string): StorageError {
  return new StorageError(code, `"${displayPath(path)}": ${code}`, { hint: 'read it again' });
}
