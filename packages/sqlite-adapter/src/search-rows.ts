import {
  invariant,
  isText,
  searchedFiles,
  searchedTitle,
  type Sbi,
  type SbiStatus,
  type SearchedUnit,
  type TreePath,
} from '@deespec/domain';
import type { Database, Statement } from 'better-sqlite3';
import { createHash } from 'node:crypto';

import { labelBasis, labelWords } from './search-labels.js';
import { searchPart } from './search-part.js';

/** An SBI whose words are indexed. */
export interface IndexedUnit extends SearchedUnit {
  readonly sbi: Pick<Sbi, 'id' | 'status' | 'metadata' | 'label'>;
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

  /** Hash of everything that the words of the texts depend on. */
  basis(): string {
    const hash = createHash('sha256').update(JSON.stringify(searchedTitle(this.unit.sbi)));
    for (const { sha256 } of this.files.values()) {
      invariant(sha256 !== undefined, `the hash of every file of ${this.unit.sbi.id} is known`);
      hash.update(`\n${sha256}`);
    }
    return hash.digest('hex');
  }

  /** Hash of the label that is among the words; `null` without one. */
  labelBasis(): string | null {
    const { label } = this.unit.sbi;
    return label === undefined ? null : labelBasis(label);
  }

  /** The whole text. @param read - the content of a file that is not at hand */
  text(read: (path: TreePath) => Buffer): Buffer {
    const { label } = this.unit.sbi;
    const labels = label === undefined ? [] : labelWords(label);
    const parts: Buffer[] = [
      Buffer.from(searchedTitle(this.unit.sbi)),
      SEPARATOR,
      Buffer.from(labels.join(' ')),
    ];
    for (const [path, { bytes = read(path) }] of this.files) {
      if (isText(bytes)) parts.push(SEPARATOR, bytes);
    }
    return Buffer.concat(parts);
  }
}

const SEPARATOR = Buffer.from('\n');

/** Texts that are held back until their words are indexed, bytes. */
const HELD_BYTES = 8 * 1024 * 1024;

interface StoredRow {
  readonly id: number;
  readonly basis: string;
  readonly labelBasis: string | null;
}

/**
 * Rows of `search_item` and `search_text`: those of the items of one status stand together. Every statement runs in the caller's
 * transaction.
 */
export class SearchRows {
  private readonly isMany: boolean;
  private readonly find: Statement;
  private readonly newest: Statement;
  private readonly insert: Statement;
  private readonly update: Statement;
  private readonly deleteText: Statement;
  private readonly insertText: Statement;
  private readonly held: { readonly id: number; readonly text: Buffer }[] = [];
  private heldBytes = 0;

  /**
   * @param isMany - many items are written, of statuses in any order: their texts are held back until there are some, or `flush` is
   *   called. FTS5 writes a piece of its own for each row that comes before the last one.
   * @param hasLabels - false before schema version 10: then no SBI may have one
   */
  constructor(
    handle: Database,
    { isMany = false, hasLabels = true }: { readonly isMany?: boolean; readonly hasLabels?: boolean } = {},
  ) {
    this.isMany = isMany;

    this.find = handle.prepare(
      `SELECT id, basis, ${hasLabels ? 'label_basis' : 'NULL'} AS labelBasis FROM search_item WHERE sbi_id = ?`,
    );
    this.newest = handle.prepare('SELECT max(id) FROM search_item WHERE id BETWEEN :first AND :last').pluck();
    const [columns, values] = hasLabels ? ['basis, label_basis', ':basis, :labelBasis'] : ['basis', ':basis'];
    this.insert = handle.prepare(
      `INSERT INTO search_item (id, sbi_id, ${columns}) VALUES (:id, :sbiId, ${values})`,
    );
    this.update = handle.prepare(
      `UPDATE search_item SET (id, ${columns}) = (:id, ${values}) WHERE sbi_id = :sbiId`,
    );
    this.deleteText = handle.prepare('DELETE FROM search_text WHERE rowid = ?');
    // The cast keeps every byte, and no JavaScript string is made of them.
    this.insertText = handle.prepare('INSERT INTO search_text (rowid, text) VALUES (?, CAST(? AS TEXT))');
  }

  /** Indexes the words of an SBI, unless those of the same texts and labels are there. The rows of an SBI that is removed go by a trigger. */
  write(text: UnitText, read: (path: TreePath) => Buffer): void {
    const { id: sbiId, status } = text.unit.sbi;
    const [basis, labelBasis] = [text.basis(), text.labelBasis()];
    const stored = this.find.get(sbiId) as StoredRow | undefined;
    const isInPlace = stored !== undefined && isWithin(stored, status);
    if (isInPlace && stored.basis === basis && stored.labelBasis === labelBasis) return;
    const id = isInPlace ? stored.id : this.nextId(status);
    if (stored === undefined) {
      this.insert.run({ id, sbiId, basis, labelBasis });
    } else {
      this.deleteText.run(stored.id);
      this.update.run({ id, sbiId, basis, labelBasis });
    }
    if (this.isMany) this.hold(id, text.text(read));
    else this.insertText.run(id, text.text(read));
  }

  /** Indexes the words of the texts that are held back. */
  flush(): void {
    for (const { id, text } of this.held.toSorted((a, b) => a.id - b.id)) this.insertText.run(id, text);
    this.held.length = 0;
    this.heldBytes = 0;
  }

  /** What the words that are stored of an SBI were made of, and whether they are among those of another status. */
  basisOf({ id, status }: Pick<Sbi, 'id' | 'status'>): string | undefined {
    const stored = this.find.get(id) as StoredRow | undefined;
    if (stored === undefined) return undefined;
    const basis = wholeBasis(stored.basis, stored.labelBasis);
    return isWithin(stored, status) ? basis : `${basis} in row ${stored.id} of another status`;
  }

  private hold(id: number, text: Buffer): void {
    this.held.push({ id, text });
    this.heldBytes += text.length;
    if (this.heldBytes >= HELD_BYTES) this.flush();
  }

  private nextId(status: SbiStatus): number {
    const part = searchPart(status);
    return ((this.newest.get(part) as number | null) ?? part.first - 1) + 1;
  }
}

/** What {@link SearchRows.basisOf} says of a text whose words are all there. */
export function wholeBasis(basis: string, label: string | null): string {
  return label === null ? basis : `${basis}, label ${label}`;
}

function isWithin({ id }: StoredRow, status: SbiStatus): boolean {
  const { first, last } = searchPart(status);
  return first <= id && id <= last;
}
