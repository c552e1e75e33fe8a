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

/** Nine faults, each with an error and a fix of its own. */
const faults: readonly (readonly [
  name: string,
  code: ErrorCode,
  fix: string,
  make: (home: string) => void,
])[] = [
  [
    'an edited script',
    'MIGRATION.CHECKSUM_MISMATCH',
    'install the version of the program',
    (home) => corrupt(home, `UPDATE schema_version SET checksum = '${wrong}' WHERE version = 1`),
  ],
  [
    'a missing script',
    'MIGRATION.MISSING',
    'restore the database from a backup',
    (home) => corrupt(home, 'DELETE FROM schema_version WHERE version = 1'),
  ],
  [
    'a newer database',
    'DATABASE.NEWER',
    'use a newer version of deespec',
    (home) =>
      corrupt(
        home,
        `INSERT INTO schema_version (version, applied_at, description, checksum)
           SELECT ${newer}, applied_at, 'of a later time', checksum FROM schema_version WHERE version = 1;
         CREATE TABLE of_a_later_time (a); PRAGMA user_version = ${newer}`,
      ),
  ],
  [
    'a trigger that was added by hand',
    'SCHEMA.EXTRA_OBJECT',
    'prints the SQL that removes it',
    (home) => corrupt(home, `CREATE TRIGGER t AFTER INSERT ON sbi BEGIN DELETE FROM sbi; END`),
  ],
  [
    'a dropped index',
    'SCHEMA.MISSING_OBJECT',
    'prints the SQL that makes it again',
    (home) => corrupt(home, 'DROP INDEX idx_sbi_status'),
  ],
  [
    'a view posing as a table',
    'SCHEMA.DISGUISED_OBJECT',
    'restore a backup',
    (home) => corrupt(home, 'DROP TABLE evidence; CREATE VIEW evidence AS SELECT 1 AS run_id'),
  ],
  [
    'an empty file',
    'DATABASE.EMPTY_FILE',
    'move it away if it is not needed',
    (home) => truncateSync(join(home, 'deespec.db')),
  ],
  [
    'a truncated file',
    'DATABASE.TRUNCATED',
    'restore it from a backup',
    (home) => truncateSync(join(home, 'deespec.db'), statSync(join(home, 'deespec.db')).size - 4096),
  ],
  ['a foreign file', 'DATABASE.FOREIGN', 'move it away if it is not needed', replaceByForeign],
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
  expect(new Set(faults.map(([, code]) => code)).size).toBe(9);
});

test.each(faults)('%s: %s, its fix is named, and nothing is written', async (_, code, fix, make) => {
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
