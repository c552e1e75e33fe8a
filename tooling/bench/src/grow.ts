import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';

type Connection = InstanceType<typeof Database>;

/** Letters of an id. Source: Crockford's base 32. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Hours between a copy of an item and the next one. */
const HOURS = 7;

/** Rows of the search are in parts, one for each status. Source: docs/database.md, "Search". */
const PART_BITS = 40;

/** A label is a word, too: this and the first characters of its hash. Source: docs/database.md, "Search". */
const LABEL = { mark: '\u{f8ff}', characters: 16 };

/** Searched text of one item, characters. */
const TEXT = 400;

/**
 * Grows the index of a migrated database by copies of its items, each with other ids and times, straight into the tables: for queries
 * at sizes whose trees would take hours. The record does not have them, so the file is good for queries of the index and nothing else.
 *
 * @returns how many items there are now: `items` or a few more
 */
export function growDatabase(path: string, items: number): number {
  const database = new Database(path);
  try {
    // Nobody else has it, and a crash makes it anew.
    for (const pragma of ['journal_mode = OFF', 'synchronous = OFF', 'foreign_keys = OFF'])
      database.pragma(pragma);
    database.function('moved', { deterministic: true }, (id, copy) => moved(String(id), Number(copy)));
    database.function('earlier', { deterministic: true }, (time, copy) => earlier(time, Number(copy)));
    return database.transaction(() => addCopies(database, items))();
  } finally {
    database.close();
  }
}

/** Says the earlier time, and ends with a mark and the number of the copy; what stands between tells the items apart. */
function moved(id: string, copy: number): string {
  const [, time, rest] = /^SBI-(.{10})(.{10}).{6}$/u.exec(id)!;
  return `SBI-${toBase32(fromBase32(time!) - copy * HOURS * 3_600_000, 10)}${rest!}ZZ${toBase32(copy, 4)}`;
}

function fromBase32(text: string): number {
  return [...text].reduce((number, letter) => number * 32 + LETTERS.indexOf(letter), 0);
}

function toBase32(number: number, length: number): string {
  let text = '';
  for (let left = number; text.length < length; left = Math.floor(left / 32))
    text = LETTERS[left % 32]! + text;
  return text;
}

function earlier(time: unknown, copy: number): string | null {
  if (typeof time !== 'string') return null;
  const whole = new Date(Date.parse(time) - copy * HOURS * 3_600_000).toISOString().slice(0, 19);
  return whole + time.slice(19);
}

function addCopies(database: Connection, items: number): number {
  database.exec(`
    CREATE TEMP TABLE base AS SELECT * FROM sbi WHERE id NOT GLOB '*ZZ????';
    CREATE TEMP TABLE step AS SELECT e.*, substr(CAST(e.content AS TEXT), 1, ${TEXT}) AS text
      FROM execution e JOIN base b ON b.id = e.sbi_id;
    CREATE INDEX temp.step_item ON step (sbi_id);`);
  const texts = database
    .prepare(
      `SELECT i.sbi_id AS id, i.id >> ${PART_BITS} AS part, i.basis, i.label_basis AS labelBasis, b.label, coalesce(json_extract(b.metadata, '$.title'), '') || ' ' ||
         coalesce((SELECT group_concat(s.text, ' ') FROM step s WHERE s.sbi_id = b.id), '') AS text
       FROM search_item i JOIN base b ON b.id = i.sbi_id ORDER BY i.id`,
    )
    .all() as SearchedItem[];
  const count = database.prepare('SELECT count(*) FROM sbi').pluck();
  const each = database.prepare('SELECT count(*) FROM base').pluck().get() as number;
  const add = copier(database, texts);
  const had = count.get() as number;
  for (let copy = 1; had + (copy - 1) * each < items; copy += 1) add(copy);
  database.exec(`INSERT INTO search_text (search_text) VALUES ('optimize'); ANALYZE`);
  return count.get() as number;
}

interface SearchedItem {
  readonly id: string;
  /** Which its row is in. */
  readonly part: number;
  readonly basis: string;
  readonly labelBasis: string | null;
  readonly label: string | null;
  readonly text: string;
}

function copier(database: Connection, texts: readonly SearchedItem[]): (copy: number) => void {
  const addItems = database.prepare(
    `INSERT INTO sbi SELECT moved(id, :copy), moved(task_id, :copy), label, (priority + :copy) % 7, status,
       earlier(created_at, :copy), earlier(updated_at, :copy), earlier(completed_at, :copy), metadata,
       CAST('specs/sbi/' || moved(id, :copy) AS BLOB) FROM base`,
  );
  const addSteps = database.prepare(
    `INSERT INTO execution (sbi_id, run, turn, step, status, decision, attempt, started_at, completed_at, metadata)
     SELECT moved(sbi_id, :copy), run, turn, step, status, decision, attempt, earlier(started_at, :copy),
       earlier(completed_at, :copy), metadata FROM step`,
  );
  const addSearched = database.prepare(
    'INSERT INTO search_item (id, sbi_id, basis, label_basis) VALUES (?, ?, ?, ?)',
  );
  const addText = database.prepare('INSERT INTO search_text (rowid, text) VALUES (?, ?)');
  const newest = database
    .prepare(`SELECT id >> ${PART_BITS}, max(id) FROM search_item GROUP BY 1`)
    .raw()
    .all() as [number, number][];
  const rows = new Map(newest);
  return (copy) => {
    addItems.run({ copy });
    addSteps.run({ copy });
    for (const { id, part, basis, labelBasis, label, text } of texts) {
      const row = rows.get(part)! + 1;
      rows.set(part, row);
      addSearched.run(row, moved(id, copy), basis, labelBasis);
      addText.run(row, label === null ? text : `${text} ${labelWords(label)}`);
    }
  };
}

function labelWords(label: string): string {
  const hashes = label.split(',').map((one) => createHash('sha256').update(one).digest('hex'));
  return hashes.map((hash) => LABEL.mark + hash.slice(0, LABEL.characters)).join(' ');
}
