import {
  assertNever,
  baseName,
  CHUNK_BYTES,
  DIRECTORY_SHA256,
  displayPath,
  joinPath,
  parentPath,
  StorageError,
  type AuditRecord,
  type EditPlan,
  type EditResult,
  type ErrorCode,
  type Expected,
  type JournalSpool,
  type SbiId,
  type TreeEdit,
  type TreeEntry,
  type TreePath,
  type TreeStat,
  type TreeStore,
  type TreeVersion,
  type TreeView,
} from '@deespec/domain';
import { chainAudit, MemorySpool, readContext, SBI_ROOT, sbiIdOfDirectory } from '@deespec/layout';
import { checks } from '@deespec/validators';
import { createHash } from 'node:crypto';

interface Stored {
  readonly entry: TreeEntry;
  readonly bytes: Buffer;
}

/** A tree in a Map: the least code that satisfies the port. */
export class MemoryTreeStore implements TreeStore, TreeView {
  #entries = new Map<TreePath, Stored>();
  #records: readonly AuditRecord[] = [];

  constructor(
    private readonly now: () => Date,
    private readonly onChange: () => void,
  ) {}

  /** What every edit said of itself, in order. */
  get records(): readonly AuditRecord[] {
    return this.#records;
  }

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

  get journal(): JournalSpool {
    const spool = new MemorySpool();
    readContext(this, { checks, spool });
    return spool;
  }

  entriesOf(id: SbiId): readonly TreeStat[] {
    return [...this.scan()].filter(({ path }) => {
      const directory = path.split('/').slice(0, 3).join('/') as TreePath;
      return this.#sbiIdAt(directory) === id;
    });
  }

  newestSbis(limit: number): readonly TreePath[] {
    const paths = [...this.scan()].map(({ path }) => path);
    return paths
      .filter((path) => this.#sbiIdAt(path) !== undefined)
      .reverse()
      .slice(0, limit);
  }

  async look<T>(look: (tree: TreeView) => T): Promise<T> {
    return look(this);
  }

  async edit(plan: (tree: TreeView) => EditPlan): Promise<EditResult> {
    const before = new Map(this.#entries);
    try {
      const { edits, audit = [] } = plan(this);
      const paths = new Set(edits.flatMap((edit) => this.#make(edit)));
      const known = this.#records.length;
      for (const note of audit) this.#records = [...this.#records, chainAudit(note, this.#records.at(-1))];
      return { paths: [...paths], audit: this.#records.slice(known) };
    } catch (error) {
      this.#entries = before;
      throw error;
    } finally {
      this.onChange();
    }
  }

  async close(): Promise<void> {
    // Nothing is held.
  }

  /** @returns the paths that the edit changed */
  #make(edit: TreeEdit): readonly TreePath[] {
    const path = joinPath('', edit.op === 'put' ? edit.version.path : edit.path);
    switch (edit.op) {
      case 'put':
        this.#requireParent(path);
        this.#put(edit.version, edit.expected);
        return [path];
      case 'append':
        this.#requireParent(path);
        this.#append(path, edit.line);
        return [path];
      case 'remove':
        this.#remove(path, edit.expected);
        return [path];
      case 'discard':
        return this.#discard(path);
      default:
        return assertNever(edit);
    }
  }

  #put(version: TreeVersion, expected: Expected): void {
    const { path, kind } = version;
    const present = this.find(path);
    const isOther = present !== undefined && (present.kind === 'directory') !== (kind === 'directory');
    if (isOther || present?.sha256 !== expected) throw failure('FILE.CHANGED', path);
    this.#store(version);
  }

  #append(path: TreePath, line: Buffer): void {
    const present = this.#entries.get(path);
    const mode = present?.entry.mode ?? 0o644;
    if (present !== undefined && present.entry.kind !== 'file') throw failure('FILE.CHANGED', path);
    const before = present?.bytes ?? Buffer.alloc(0);
    const end = before.length === 0 || before.at(-1) === 0x0a ? '' : '\n';
    this.#store({ path, kind: 'file', mode, bytes: Buffer.concat([before, Buffer.from(end), line]) });
  }

  #remove(path: TreePath, expected: string): void {
    const present = this.find(path);
    if (present === undefined) throw failure('FILE.NOT_FOUND', path);
    if (present.sha256 !== expected || this.#below(path).length > 0) throw failure('FILE.CHANGED', path);
    this.#entries.delete(path);
  }

  #discard(path: TreePath): readonly TreePath[] {
    const present = this.find(path);
    if (present === undefined) throw failure('FILE.NOT_FOUND', path);
    if (present.kind !== 'directory') throw failure('FILE.CHANGED', path);
    const gone = [path, ...this.#below(path)];
    for (const one of gone) this.#entries.delete(one);
    return gone;
  }

  #store({ path, kind, mode, mtimeNs, bytes: content }: TreeVersion): void {
    const bytes = content instanceof Uint8Array ? Buffer.from(content) : Buffer.concat([...content.open()]);
    const entry: TreeEntry = {
      path,
      kind,
      mode,
      mtimeNs: mtimeNs ?? BigInt(this.now().getTime()) * 1_000_000n,
      size: bytes.length,
      sha256: kind === 'directory' ? DIRECTORY_SHA256 : createHash('sha256').update(bytes).digest('hex'),
    };
    this.#entries.set(path, { entry, bytes });
  }

  #requireParent(path: TreePath): void {
    const parent = parentPath(path) as TreePath | '';
    if (parent !== '' && this.find(parent)?.kind !== 'directory') throw failure('FILE.NOT_FOUND', parent);
  }

  #below(path: TreePath): readonly TreePath[] {
    return [...this.scan()].map((stat) => stat.path).filter((other) => other.startsWith(`${path}/`));
  }

  #sbiIdAt(path: TreePath): SbiId | undefined {
    const isDirectory = parentPath(path) === SBI_ROOT && this.find(path)?.kind === 'directory';
    return isDirectory ? sbiIdOfDirectory(baseName(path)) : undefined;
  }
}

function failure(code: ErrorCode, path: string): StorageError {
  return new StorageError(code, `"${displayPath(path)}": ${code}`, { hint: 'read it again' });
}
