import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, jest } from '@jest/globals';
import Database from 'better-sqlite3';
import { verifyTree, type SchemaObject, type TreeVerification } from '../src/index.js';

const made: string[] = [];

afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

afterEach(() => {
  jest.restoreAllMocks();
});

/** Makes every chance to yield a turn that is taken, as if each step took long. */
export function hurry(): void {
  let now = performance.now();
  jest.spyOn(performance, 'now').mockImplementation(() => (now += 1000));
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'deespec-verifier-'));
  made.push(directory);
  return directory;
}

/** The path of a byte-string name below `root`. */
export function at(root: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
}

export function put(root: string, name: string, content: string | Buffer): void {
  const slash = name.lastIndexOf('/');
  if (slash > 0) mkdirSync(at(root, name.slice(0, slash)), { recursive: true });
  writeFileSync(at(root, name), content);
  chmodSync(at(root, name), 0o644);
}

/** Every kind of name, mode and kind that a tree can hold, and everything that is left out of a digest. */
export function awkwardTree(): string {
  const root = temporaryDirectory();
  const names = [
    'with space',
    'new\nline',
    'back\\slash',
    '\\n',
    'quote\'"',
    '-',
    '-rf',
    '\xff\xfe',
    'caf\xc3\xa9',
    '*?[x]',
  ];
  for (const name of names) {
    put(root, name, `content of ${name}`);
    put(root, `in/${name}/${name}`, name);
    symlinkSync(Buffer.from(name, 'latin1'), at(root, `link to ${name}`));
  }
  for (const name of [
    'a',
    'a.b',
    'a-',
    'A',
    'a0',
    '.hidden',
    '$(x)',
    '~',
    'tmp',
    '.tmp',
    'x.tmpx',
    '.tmpx',
  ]) {
    put(root, `order/${name}`, '');
  }
  for (const mode of [0, 0o7, 0o70, 0o400, 0o755, 0o1644, 0o2755, 0o4755, 0o7777]) {
    put(root, `modes/${mode.toString(8)}`, mode.toString(8));
    chmodSync(at(root, `modes/${mode.toString(8)}`), mode);
    mkdirSync(at(root, `modes/d${mode.toString(8)}`));
    chmodSync(at(root, `modes/d${mode.toString(8)}`), mode);
  }
  for (const target of ['.', '/', '..', 'no such thing', '/etc/passwd', 'trailing/', 'l1']) {
    symlinkSync(target, at(root, `odd ${target.replaceAll('/', '_')}`));
  }
  put(root, 'large', Buffer.alloc(3 * 1_048_576 + 17, 'x'));
  put(root, 'exact', Buffer.alloc(1_048_576, 'y'));
  mkdirSync(at(root, 'empty directory'));
  mkdirSync(at(root, 'x.tmp directory.tmp'));
  symlinkSync('x', at(root, 'link.tmp'));
  putIgnored(root);
  return root;
}

/** Names that no digest has, and some that only look like them. */
export function putIgnored(root: string): void {
  for (const name of ['deespec.db', 'deespec.db-wal', 'deespec.db-shm', 'deespec.db-journal'])
    put(root, name, name);
  put(root, '.storage/runs/1/x', 'ours');
  put(root, 'var/state.lock/held', 'a lock that is a directory');
  put(root, 'var/runlock', '{}');
  put(root, 'var/.tmp.state.json', 'half');
  put(root, '.tmp-1', '');
  put(root, 'specs/x.tmp', 'half');
  put(root, 'specs/deespec.db', 'data: not at the root');
  put(root, 'specs/.storage/x', 'data: not at the root');
  put(root, 'backups/one.db.gz', 'ours');
  put(root, 'backups/one.db.gz.manifest.json', '{}');
  put(root, 'backups/st*r[', 'ours');
  put(root, 'backups/st*r[.manifest.json', '{}');
  put(root, 'backups/star[', 'data: the manifest is of another name');
  put(root, 'backups/alone.manifest.json', 'data: no backup beside it');
}

/** The digest as its definition reads: everything in memory, in the plainest words. Nothing to leave out. */
export function naiveDigest(root: string): string {
  const lines: Buffer[] = [];
  const visit = (prefix: string): void => {
    for (const bytes of readdirSync(at(root, prefix), { encoding: 'buffer' })) {
      const path = prefix + bytes.toString('latin1');
      const stat = lstatSync(at(root, path));
      const mode = (stat.mode & 0o7777).toString(8);
      const shown = path.split('\\').join('\\\\').split('\n').join('\\n');
      if (stat.isDirectory()) {
        lines.push(Buffer.from(`d ${mode} ${shown}`, 'latin1'));
        visit(`${path}/`);
      } else if (stat.isSymbolicLink()) {
        const target = readlinkSync(at(root, path), { encoding: 'buffer' }).toString('latin1');
        lines.push(
          Buffer.from(`l ${target.split('\\').join('\\\\').split('\n').join('\\n')} ${shown}`, 'latin1'),
        );
      } else lines.push(Buffer.from(`f ${mode} ${sha256(readFileSync(at(root, path)))} ${shown}`, 'latin1'));
    }
  };
  visit('');
  const sorted = lines.sort((a, b) => Buffer.compare(a, b));
  return sha256(Buffer.concat(sorted.flatMap((line) => [line, Buffer.from('\n')])));
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export const schemaSql = [
  `CREATE TABLE content (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, bytes BLOB) STRICT`,
  `CREATE TABLE content_chunk (content_id INTEGER NOT NULL REFERENCES content (id), seq INTEGER NOT NULL,
    bytes BLOB NOT NULL, PRIMARY KEY (content_id, seq)) STRICT`,
  `CREATE TABLE execution (id INTEGER PRIMARY KEY, sbi_id TEXT, content ANY) STRICT`,
  `CREATE TABLE tree_entry (path BLOB PRIMARY KEY, kind TEXT NOT NULL, mode INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, content_id INTEGER REFERENCES content (id),
    execution_id INTEGER REFERENCES execution (id), state TEXT NOT NULL DEFAULT 'stored', reason TEXT,
    rev INTEGER NOT NULL DEFAULT 1) STRICT, WITHOUT ROWID`,
  `CREATE INDEX idx_tree_entry_content ON tree_entry (content_id)`,
];

export function expectedSchema(): SchemaObject[] {
  const database = new Database(':memory:');
  for (const sql of schemaSql) database.exec(sql);
  return schemaOf(database);
}

/** The schema of a database as it is. */
export function liveSchema(file: string): SchemaObject[] {
  return schemaOf(new Database(file, { readonly: true }));
}

function schemaOf(database: Database.Database): SchemaObject[] {
  const rows = database
    .prepare<[], SchemaObject>('SELECT type, name, tbl_name, sql FROM sqlite_schema')
    .all();
  database.close();
  return rows;
}

/**
 * A small tree and a database that holds exactly it, as a migration would leave them.
 *
 * @param size - `large`: with so many bytes that a process of its own reads the files
 */
export function migratedTree(size: 'small' | 'large' = 'small'): { home: string; database: string } {
  const home = temporaryDirectory();
  if (size === 'large') put(home, 'large.bin', Buffer.alloc(17 * 1_048_576));
  put(home, 'setting.json', '{"a": 1}\n');
  put(home, 'specs/sbi/SBI-1/spec.md', '# spec\n');
  chmodSync(at(home, 'specs/sbi/SBI-1/spec.md'), 0o600);
  put(home, 'specs/sbi/SBI-1/implement_2.md', 'done\n');
  put(home, 'specs/sbi/SBI-1/implement_3.md', Buffer.from([0xff, 0x00, 0x0a]));
  put(home, 'specs/sbi/SBI-1/empty_4.md', '');
  put(home, 'specs/empty', '');
  put(home, 'specs.old/big.bin', Buffer.alloc(2 * 1_048_576 + 5, 'big'));
  put(home, 'var/runlock', '{}');
  mkdirSync(at(home, 'knowledge'));
  symlinkSync('specs/sbi', at(home, 'link'));
  const database = join(temporaryDirectory(), 'deespec.db');
  load(home, database);
  return { home, database };
}

function load(home: string, file: string): void {
  const database = new Database(file);
  database.pragma('synchronous=OFF');
  for (const sql of schemaSql) database.exec(sql);
  const insert = database.prepare(
    'INSERT INTO tree_entry (path, kind, mode, mtime_ns, sha256, size, content_id, execution_id) VALUES (?,?,?,?,?,?,?,?)',
  );
  const visit = (prefix: string): void => {
    for (const bytes of readdirSync(at(home, prefix), { encoding: 'buffer' })) {
      const path = prefix + bytes.toString('latin1');
      if (path === 'var/runlock') continue;
      const stat = lstatSync(at(home, path), { bigint: true });
      const kind = stat.isDirectory() ? 'd' : stat.isSymbolicLink() ? 'l' : 'f';
      const key = [Buffer.from(path, 'latin1'), kind, stat.mode & 0o7777n, stat.mtimeNs] as const;
      if (kind === 'd') {
        insert.run(...key, '', 0, null, null);
        visit(`${path}/`);
        continue;
      }
      const content =
        kind === 'l' ? readlinkSync(at(home, path), { encoding: 'buffer' }) : readFileSync(at(home, path));
      const step = /_\d+\.md$/u.test(path);
      const id = step ? storeExecution(database, content) : storeContent(database, content);
      insert.run(...key, sha256(content), content.length, step ? null : id, step ? id : null);
    }
  };
  database.exec('BEGIN IMMEDIATE');
  visit('');
  database.exec('COMMIT');
  database.close();
}

function storeExecution(database: Database.Database, content: Buffer): number | bigint {
  const value = content.includes(0) ? content : content.toString('utf8');
  return database.prepare('INSERT INTO execution (content) VALUES (?)').run(value).lastInsertRowid;
}

function storeContent(database: Database.Database, content: Buffer): number | bigint {
  const large = content.length > 1_048_576;
  const { lastInsertRowid } = database
    .prepare('INSERT INTO content (sha256, size, bytes) VALUES (?, ?, ?)')
    .run(sha256(content), content.length, large ? null : content);
  for (let seq = 0; large && seq * 1_048_576 < content.length; seq += 1) {
    const bytes = content.subarray(seq * 1_048_576, (seq + 1) * 1_048_576);
    database.prepare('INSERT INTO content_chunk VALUES (?, ?, ?)').run(lastInsertRowid, seq, bytes);
  }
  return lastInsertRowid;
}

/** Runs `sql` on a database without any check that would prevent harm. */
export function harm(file: string, sql: string): void {
  const database = new Database(file);
  database.pragma('synchronous=OFF');
  database.pragma('foreign_keys=OFF');
  database.exec(sql);
  database.close();
}

export type Migrated = ReturnType<typeof migratedTree>;

export function verify(
  { home, database }: Migrated,
  depth: 'quick' | 'all' = 'all',
  schema = expectedSchema(),
): Promise<TreeVerification> {
  return verifyTree({ home, database, expectedSchema: schema, checkAll: depth === 'all' });
}

/** Verifies both ways; without `checkAll` stored contents are trusted, so `quick` may find less. */
export async function found(migrated: Migrated): Promise<{ all: string[]; quick: string[] }> {
  const name = ({ differences }: TreeVerification) =>
    differences.map(({ what, where }) => `${what} ${where}`);
  return { all: name(await verify(migrated)), quick: name(await verify(migrated, 'quick')) };
}

export const spec = 'specs/sbi/SBI-1/spec.md';
export const step = 'specs/sbi/SBI-1/implement_2.md';
export const isSpec = `path = CAST('${spec}' AS BLOB)`;
export const isStep = `path = CAST('${step}' AS BLOB)`;
export const isBig = `path = CAST('specs.old/big.bin' AS BLOB)`;
