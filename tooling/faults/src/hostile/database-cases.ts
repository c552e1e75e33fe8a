import Database from 'better-sqlite3';
import {
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { endingOf, misbehaviour, runProduct } from '../product.js';
import type { HostileCase, Refusal } from './hostile-case.js';
import type { Place } from './place.js';

/** What a case does to the database of a migrated tree, which nobody has open. */
type Change = (file: string, place: Place) => void;

/** The commands that read the whole database all fail so. */
function allFail(exit: number, code: string): readonly Refusal[] {
  return [
    { args: ['migrate'], exit, code },
    { args: ['verify', '--check-all'], exit, code },
    { args: (place) => ['export', '--output', place.output], exit, code },
  ];
}

/** `verify` goes on as far as it can and lists what differs; the others fail. */
function allButVerifyFail(exit: number, code: string): readonly Refusal[] {
  return allFail(exit, code).filter(({ args }) => typeof args === 'function' || args[0] !== 'verify');
}

const LISTED = '`verify` names each object as a difference and ends with 2';

interface Given {
  readonly id: string;
  readonly input: string;
  readonly change: Change;
  readonly refusals: readonly Refusal[];
  readonly note?: string;
}

/** A database that every command refuses, and none may touch. */
function refused({ id, input, change, refusals, note }: Given): HostileCase {
  const before = new Map<string, Buffer>();
  return {
    id,
    input,
    ...(note === undefined ? {} : { note }),
    expect: { verdict: 'refuse', refusals },
    prepare: async (place) => {
      const file = await migrated(place);
      change(file, place);
      before.set(place.directory, readFileSync(file));
    },
    check: (place) =>
      readFileSync(databaseOf(place)).equals(before.get(place.directory)!)
        ? []
        : ['the database was changed'],
  };
}

/** A database whose rows were changed behind our back: `verify --check-all` ends with 2. */
function found({ id, input, change, note }: Omit<Given, 'refusals'>): HostileCase {
  return {
    id,
    input,
    note: note ?? '`verify --check-all` ends with 2 and names what differs; `migrate` builds it anew then',
    expect: { verdict: 'exact' },
    check: async (place) => {
      change(databaseOf(place), place);
      const args = ['--home', place.home];
      const verify = await runProduct({ args: ['verify', '--check-all', ...args] });
      const again = await runProduct({ args: ['migrate', ...args] });
      const after = await runProduct({ args: ['verify', '--check-all', ...args] });
      return [
        ...[verify, again, after].flatMap((run) => misbehaviour(run)),
        ...(verify.exitCode === 2 ? [] : [`verify of the changed database: ${endingOf(verify)}`]),
        ...(again.exitCode === 0 ? [] : [`migrate after it: ${endingOf(again)}`]),
        ...(after.exitCode === 0 ? [] : [`verify after that: ${endingOf(after)}`]),
      ];
    },
  };
}

function databaseOf(place: Place): string {
  return join(place.home, 'deespec.db');
}

async function migrated(place: Place): Promise<string> {
  const run = await runProduct({ args: ['migrate', '--home', place.home] });
  if (run.exitCode !== 0) throw new Error(`the tree of a case: ${endingOf(run)}`);
  return databaseOf(place);
}

/** Runs statements on the database with nothing in their way. */
function tamper(sql: string): Change {
  return (file) => {
    const handle = new Database(file);
    try {
      handle.unsafeMode();
      handle.pragma('foreign_keys = OFF');
      handle.pragma('ignore_check_constraints = ON');
      handle.exec(sql);
    } finally {
      handle.close();
    }
  };
}

/** Puts a database of its own in place: what the pragmas say, with our mark. */
function other(pragma: string, mark: number): Change {
  return (file) => {
    rmSync(file);
    const handle = new Database(file);
    handle.exec(
      `${pragma}; PRAGMA application_id = ${mark}; CREATE TABLE moz_places (id INTEGER PRIMARY KEY)`,
    );
    handle.close();
  };
}

const OURS = 0x44455350;

/** Files at the database's name. */
export const databaseCases: readonly HostileCase[] = [
  refused({
    id: 'D01',
    input: 'an empty file',
    change: (file) => truncateSync(file),
    refusals: allFail(73, 'DATABASE.EMPTY_FILE'),
  }),
  refused({
    id: 'D01b',
    input: 'a text file, or a picture',
    change: (file) => writeFileSync(file, '\x89PNG\r\n\x1a\n and no database'),
    refusals: allFail(73, 'DATABASE.NOT_SQLITE'),
  }),
  refused({
    id: 'D01c',
    input: 'the header of a database of ours and nothing more',
    change: (file) => truncateSync(file, 100),
    refusals: allFail(65, 'DATABASE.TRUNCATED'),
  }),
  refused({
    id: 'D01d',
    input: 'a database of ours that was cut off',
    change: (file) => truncateSync(file, 4096 * 10),
    refusals: allFail(65, 'DATABASE.TRUNCATED'),
  }),
  refused({
    id: 'D02',
    input: 'a database of another program',
    change: other('PRAGMA page_size = 4096', 0),
    refusals: allFail(73, 'DATABASE.FOREIGN'),
  }),
  refused({
    id: 'D03',
    input: 'a trigger on one of our tables',
    change: tamper(`CREATE TRIGGER x AFTER INSERT ON evidence BEGIN UPDATE sbi SET status = 'DONE'; END`),
    refusals: allButVerifyFail(65, 'SCHEMA.EXTRA_OBJECT'),
    note: LISTED,
  }),
  refused({
    id: 'D03b',
    input: 'a further index on an expression, a generated column, a virtual table',
    change: tamper(
      `CREATE INDEX x ON sbi (hex(id)); ALTER TABLE config ADD COLUMN y TEXT AS (upper(key));
       CREATE VIRTUAL TABLE z USING fts5(t)`,
    ),
    refusals: allButVerifyFail(65, 'SCHEMA.DRIFT'),
    note: LISTED,
  }),
  refused({
    id: 'D04',
    input: 'a view that never ends, named like one of our tables',
    change: tamper(
      `DROP VIEW recent_executions; DROP TABLE evidence;
       CREATE VIEW evidence AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
         SELECT x AS run_id, 'migrate' AS action, x AS at FROM n`,
    ),
    refusals: allButVerifyFail(65, 'SCHEMA.DISGUISED_OBJECT'),
    note: LISTED,
  }),
  found({
    id: 'D05',
    input: 'a flipped bit in a stored content',
    change: tamper(`UPDATE content SET bytes = CAST('#' || substr(bytes, 2) AS BLOB) WHERE id = 1`),
  }),
  refused({
    id: 'D05b',
    input: 'a page of zeros in the middle',
    change: (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0, 4096 * 3, 4096 * 4);
      writeFileSync(file, bytes);
    },
    refusals: [{ args: (place) => ['export', '--output', place.output], exit: 65, code: 'DATABASE.CORRUPT' }],
    note: '`verify --check-all` names what SQLite finds, or ends with the same error',
  }),
  found({
    id: 'D06',
    input: 'an execution of an SBI that does not exist',
    change: tamper(
      `INSERT INTO execution (sbi_id, turn, step, status, started_at)
       VALUES ('SBI-00000000000000000000000000', 9, 'x', 'x', '2020-01-02T03:04:05.000000000Z')`,
    ),
  }),
  refused({
    id: 'D07',
    input: 'a write-ahead log that belongs to no database of this name',
    change: (file) => writeFileSync(`${file}-wal`, 'not written by SQLite, and longer than its header is'),
    refusals: allFail(73, 'DATABASE.STRAY_SIDECAR'),
  }),
  refused({
    id: 'D08',
    input: 'a schema of a newer version',
    change: tamper(
      `INSERT INTO schema_version (version, applied_at, description, checksum)
         SELECT 999, applied_at, 'of a later time', checksum FROM schema_version WHERE version = 1;
       PRAGMA user_version = 999`,
    ),
    refusals: allFail(78, 'DATABASE.NEWER'),
  }),
  refused({
    id: 'D08b',
    input: 'an applied schema script that is not the one that is installed',
    change: tamper(`UPDATE schema_version SET checksum = '${'0'.repeat(64)}', normalized = checksum`),
    refusals: allButVerifyFail(65, 'MIGRATION.CHECKSUM_MISMATCH'),
    note: '`verify` names it as a difference and ends with 2',
  }),
  refused({
    id: 'D08c',
    input: 'a schema number that no script has set',
    change: tamper('PRAGMA user_version = 7'),
    refusals: allButVerifyFail(65, 'SCHEMA.DRIFT'),
    note: '`verify` names it as a difference and ends with 2',
  }),
  refused({
    id: 'D09',
    input: 'a symbolic link to a database',
    change: (file, place) => {
      renameSync(file, join(place.home, '.storage/moved'));
      symlinkSync('.storage/moved', file);
    },
    refusals: allFail(77, 'DATABASE.UNSAFE_LINK'),
  }),
  refused({
    id: 'D09b',
    input: 'a database with a second hard link',
    change: (file, place) => linkSync(file, join(place.home, '.storage/second')),
    refusals: allFail(77, 'DATABASE.UNSAFE_LINK'),
  }),
  ...(
    [
      ['D10', 'text in UTF-16', `PRAGMA encoding = 'UTF-16le'`],
      ['D10b', 'pages of 512 bytes', 'PRAGMA page_size = 512'],
      ['D10c', 'pages that move by themselves (auto_vacuum)', 'PRAGMA auto_vacuum = FULL'],
    ] as const
  ).map(([id, input, pragma]) =>
    refused({ id, input, change: other(pragma, OURS), refusals: allFail(65, 'DATABASE.FORMAT') }),
  ),
  found({
    id: 'D11',
    input: 'a text column with bytes that are no UTF-8',
    change: tamper(`UPDATE sbi SET label = CAST(x'ff00fe' AS TEXT)`),
  }),
  {
    id: 'D12',
    input: 'a database on NFS, SMB, 9p or FUSE',
    note: 'PREFLIGHT.FILE_SYSTEM (78) by the type that statfs gives; no such file system is at hand where the cases run',
    expect: { verdict: 'not applicable' },
  },
  {
    id: 'D13',
    input: 'a path of the user in a statement that attaches or copies a database',
    note: 'No option leads there; lint forbids attaching, and copying to anything but a bound name of our own',
    expect: { verdict: 'not applicable' },
  },
  refused({
    id: 'D14',
    input: 'a stored value of 300 MB',
    change: tamper('UPDATE content SET bytes = zeroblob(300000000) WHERE id = 1'),
    refusals: [{ args: (place) => ['export', '--output', place.output], exit: 65, code: 'DATABASE.CORRUPT' }],
    note: 'No value above 1 MiB is loaded: memory stays flat',
  }),
];
