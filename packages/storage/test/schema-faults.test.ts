import type { ErrorCode } from '@deespec/domain';
import { APPLICATION_ID, schemaScripts } from '@deespec/sqlite-adapter';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import Database from 'better-sqlite3';
import { cpSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { changeSchema, migrate, openIndex, proveSchema } from '../src/index.js';
import { takeBack } from './schema-support.js';
import { corrupt, expectError, migratedTree, newHome, removeDirectories, sha256 } from './support.js';

afterAll(removeDirectories);

const wrong = '0'.repeat(64);
const newer = schemaScripts().length + 1;

interface Fault {
  readonly name: string;
  readonly code: ErrorCode;
  /** Words of the hint. */
  readonly fix: string;
  readonly make: (home: string) => void;
}

/** Nine faults, each with an error and a fix of its own. */
const faults: readonly Fault[] = [
  {
    name: 'an edited script',
    code: 'MIGRATION.CHECKSUM_MISMATCH',
    fix: 'install the version of the program',
    make: (home) => corrupt(home, `UPDATE schema_version SET checksum = '${wrong}' WHERE version = 1`),
  },
  {
    name: 'a missing script',
    code: 'MIGRATION.MISSING',
    fix: 'restore the database from a backup',
    make: (home) => corrupt(home, 'DELETE FROM schema_version WHERE version = 1'),
  },
  {
    name: 'a newer database',
    code: 'DATABASE.NEWER',
    fix: 'use a newer version of deespec',
    make: (home) =>
      corrupt(
        home,
        `INSERT INTO schema_version (version, applied_at, description, checksum)
           SELECT ${newer}, applied_at, 'of a later time', checksum FROM schema_version WHERE version = 1;
         CREATE TABLE of_a_later_time (a); PRAGMA user_version = ${newer}`,
      ),
  },
  {
    name: 'a trigger that was added by hand',
    code: 'SCHEMA.EXTRA_OBJECT',
    fix: 'prints the SQL that removes it',
    make: (home) => corrupt(home, `CREATE TRIGGER t AFTER INSERT ON sbi BEGIN DELETE FROM sbi; END`),
  },
  {
    name: 'a dropped index',
    code: 'SCHEMA.MISSING_OBJECT',
    fix: 'prints the SQL that makes it again',
    make: (home) => corrupt(home, 'DROP INDEX idx_sbi_status'),
  },
  {
    name: 'a view posing as a table',
    code: 'SCHEMA.DISGUISED_OBJECT',
    fix: 'restore a backup',
    make: (home) => corrupt(home, 'DROP TABLE evidence; CREATE VIEW evidence AS SELECT 1 AS run_id'),
  },
  {
    name: 'an empty file',
    code: 'DATABASE.EMPTY_FILE',
    fix: 'move it away if it is not needed',
    make: (home) => truncateSync(join(home, 'deespec.db')),
  },
  {
    name: 'a truncated file',
    code: 'DATABASE.TRUNCATED',
    fix: 'restore it from a backup',
    make: (home) => truncateSync(join(home, 'deespec.db'), statSync(join(home, 'deespec.db')).size - 4096),
  },
  {
    name: 'a foreign file',
    code: 'DATABASE.FOREIGN',
    fix: 'move it away if it is not needed',
    make: replaceByForeign,
  },
];

function replaceByForeign(home: string): void {
  rmSync(join(home, 'deespec.db'));
  const other = new Database(join(home, 'deespec.db'));
  other.exec(`CREATE TABLE of_somebody (a); PRAGMA application_id = ${APPLICATION_ID + 1}`);
  other.close();
}

let template = '';

beforeAll(async () => {
  template = await migratedTree();
  takeBack(template, 2);
});

test('nine faults have nine different errors', () => {
  expect(new Set(faults.map(({ code }) => code)).size).toBe(9);
});

test.each(faults)('$name: $code, its fix is named, and nothing is written', async ({ code, fix, make }) => {
  const home = newHome();
  cpSync(template, home, { recursive: true });
  make(home);
  const before = sha256(join(home, 'deespec.db'));

  const attempts = [
    () => changeSchema({ home, direction: 'up' }),
    () => changeSchema({ home, direction: 'down', to: 1 }),
    () => changeSchema({ home, direction: 'up', dryRun: true }),
    () => proveSchema({ home }),
    () => migrate({ home }),
    () => openIndex({ home, store: 'sqlite' }),
  ];
  for (const attempt of attempts) {
    const error = await expectError(attempt(), code);
    expect(error.hint).toContain(fix);
    expect(error.message).not.toBe('');
  }

  expect(sha256(join(home, 'deespec.db'))).toBe(before);
});

test('a file that is no database at all is told from one of another program', async () => {
  const home = newHome();
  cpSync(template, home, { recursive: true });
  writeFileSync(join(home, 'deespec.db'), 'just text, and more of it than a header is long'.repeat(10));

  await expectError(changeSchema({ home, direction: 'up' }), 'DATABASE.NOT_SQLITE');
});
