import BetterSqlite3, { type Database } from 'better-sqlite3';

/** What SQLite's tokenizer makes of a text: its words, each once, in byte order. Asks the index that the schema makes. */
export class Tokenizer {
  private readonly handle: Database;

  constructor() {
    this.handle = new BetterSqlite3(':memory:');
    this.handle.exec(`
      CREATE VIRTUAL TABLE t USING fts5 (text, content = '', contentless_delete = 1, detail = none,
        tokenize = 'unicode61 remove_diacritics 2');
      CREATE VIRTUAL TABLE words USING fts5vocab (t, 'row');
    `);
  }

  words(text: string): string[] {
    this.keep(text);
    return this.handle.prepare('SELECT term FROM words').pluck().all() as string[];
  }

  /** True when the kept text matches an FTS5 expression. */
  matches(expression: string): boolean {
    return this.handle.prepare('SELECT 1 FROM t WHERE t MATCH ?').get(expression) !== undefined;
  }

  close(): void {
    this.handle.close();
  }

  private keep(text: string): void {
    this.handle.transaction(() => {
      this.handle.exec('DELETE FROM t');
      this.handle.prepare('INSERT INTO t (rowid, text) VALUES (1, CAST(? AS TEXT))').run(Buffer.from(text));
    })();
  }
}
