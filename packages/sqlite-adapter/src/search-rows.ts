import {
  invariant,
  isText,
  searchedFiles,
  searchedTitle,
  type Sbi,
  type SearchedUnit,
  type TreePath,
} from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';
import { createHash } from 'node:crypto';

/** An SBI whose words are indexed. */
export interface IndexedUnit extends SearchedUnit {
  readonly sbi: Pick<Sbi, 'id' | 'metadata'>;
}

/**
 * What is known of the files of one unit while it is written: their hashes, and the bytes of those that are new. Holds no more
 * than is searched of an SBI.
 */
export class UnitText {
  private readonly files: ReadonlyMap<TreePath, { sha256?: string; bytes?: Buffer }>;

  constructor(readonly unit: IndexedUnit) {
    this.files = new Map(searchedFiles(unit).map(({ path }) => [path, {}]));
  }

  /** @param bytes - the content, where it is at hand */
  note(path: TreePath, sha256: string, bytes?: Buffer): void {
    const file = this.files.get(path);
    if (file === undefined) return;
    file.sha256 = sha256;
    if (bytes !== undefined) file.bytes = bytes;
  }

  /** Hash of everything that the words depend on. */
  basis(): string {
    const hash = createHash('sha256').update(JSON.stringify(searchedTitle(this.unit.sbi)));
    for (const { sha256 } of this.files.values()) {
      invariant(sha256 !== undefined, `the hash of every file of ${this.unit.sbi.id} is known`);
      hash.update(`\n${sha256}`);
    }
    return hash.digest('hex');
  }

  /** The whole text. @param read - the content of a file that is not at hand */
  text(read: (path: TreePath) => Buffer): Buffer {
    const parts: Buffer[] = [Buffer.from(searchedTitle(this.unit.sbi))];
    for (const [path, { bytes = read(path) }] of this.files) {
      if (isText(bytes)) parts.push(SEPARATOR, bytes);
    }
    return Buffer.concat(parts);
  }
}

const SEPARATOR = Buffer.from('\n');

/** Rows of `search_item` and `search_text`. Every statement runs in the caller's transaction. */
export class SearchRows {
  private readonly find: Statement;
  private readonly insert: Statement;
  private readonly setBasis: Statement;
  private readonly deleteText: Statement;
  private readonly insertText: Statement;

  constructor(handle: Database) {
    this.find = handle.prepare('SELECT id, basis FROM search_item WHERE sbi_id = ?');
    this.insert = handle.prepare('INSERT INTO search_item (sbi_id, basis) VALUES (?, ?)');
    this.setBasis = handle.prepare('UPDATE search_item SET basis = ? WHERE id = ?');
    this.deleteText = handle.prepare('DELETE FROM search_text WHERE rowid = ?');
    // The cast keeps every byte, and no JavaScript string is made of them.
    this.insertText = handle.prepare('INSERT INTO search_text (rowid, text) VALUES (?, CAST(? AS TEXT))');
  }

  /** Indexes the words of an SBI, unless those of the same texts are there. The rows of an SBI that is removed go by a trigger. */
  write(text: UnitText, read: (path: TreePath) => Buffer): void {
    const { id: sbiId } = text.unit.sbi;
    const basis = text.basis();
    const stored = this.find.get(sbiId) as { id: number; basis: string } | undefined;
    if (stored?.basis === basis) return;
    if (stored === undefined) {
      const { lastInsertRowid } = this.insert.run(sbiId, basis);
      this.insertText.run(lastInsertRowid, text.text(read));
      return;
    }
    this.setBasis.run(basis, stored.id);
    this.deleteText.run(stored.id);
    this.insertText.run(stored.id, text.text(read));
  }

  /** Basis of the words that are stored of an SBI. */
  basisOf({ id }: Pick<Sbi, 'id'>): string | undefined {
    return (this.find.get(id) as { basis: string } | undefined)?.basis;
  }
}
