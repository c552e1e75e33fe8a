import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import BetterSqlite3 from 'better-sqlite3';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { schemaScripts } from '../src/index.js';
import { MemoryTree, select } from './memory-tree.js';
import { directory, removeDirectories } from './support.js';

afterAll(removeDirectories);

const hasShell = spawnSync('sqlite3', ['--version']).status === 0;
if (!hasShell) console.warn('skipped: the sqlite3 shell is not installed');

const done = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';
const unproven = 'SBI-01M810CC093DHZQK57AH103BW2';
const home = (id: string) => `specs/sbi/${id}`;

// As the strategy document has them, "Data Validation" and "Query Optimization".
const queries = {
  orphans: 'SELECT e.* FROM execution e LEFT JOIN sbi s ON e.sbi_id = s.id WHERE s.id IS NULL;',
  duplicates: 'SELECT sbi_id, turn, COUNT(*) as cnt FROM execution GROUP BY sbi_id, turn HAVING cnt > 1;',
  inconsistent: `SELECT s.* FROM sbi s WHERE s.status = 'DONE'
    AND NOT EXISTS (SELECT 1 FROM execution e WHERE e.sbi_id = s.id AND e.decision = 'SUCCEEDED');`,
  list: `SELECT id, task_id, label FROM sbi WHERE status = 'DONE' ORDER BY created_at DESC;`,
  recent: 'SELECT * FROM recent_executions ORDER BY id;',
  version: `SELECT value FROM schema_info WHERE key = 'version';`,
};

const path = () => join(directory(), 'deespec.db');
let database = '';

beforeAll(async () => {
  database = path();
  const tree = new MemoryTree();
  const state = { status: 'DONE', created_at: '2026-01-02T03:04:05Z' };
  await tree.put(`${home(done)}/state.json`, JSON.stringify(state));
  await tree.put(`${home(done)}/implement_1.md`, 'DECISION: NEEDS_CHANGES\n');
  await tree.put(`${home(done)}/review_1.md`, 'DECISION: SUCCEEDED\n');
  await tree.put(
    `${home(unproven)}/state.json`,
    JSON.stringify({ ...state, created_at: '2026-02-02T03:04:05Z' }),
  );
  await tree.put(`${home(unproven)}/implement_1.md`, 'DECISION: FAILED\n');
  await tree.load(database, 'create');
  const handle = new BetterSqlite3(database);
  handle.pragma('foreign_keys = OFF');
  const insert = handle.prepare(
    `INSERT INTO execution (sbi_id, turn, step, status, started_at)
     VALUES ('SBI-00000000000000000000000000', ?, 'x', 'x', strftime('%Y-%m-%dT%H:%M:%S', 'now', ?) || '.000000000Z')`,
  );
  const ages = ['-1 second', '-29 days', '-40 days'];
  ages.forEach((age, at) => insert.run(at + 1, age));
  handle.exec(
    `UPDATE execution SET started_at = '2020-01-02T03:04:05.000000000Z' WHERE sbi_id <> 'SBI-00000000000000000000000000'`,
  );
  handle.close();
});

const asks: readonly [string, (sql: string) => unknown[]][] = [
  ['the driver', (sql) => select(database, sql)],
  ...(hasShell ? [['the sqlite3 shell', askShell] as [string, (sql: string) => unknown[]]] : []),
];

function askShell(sql: string): unknown[] {
  const text = execFileSync('sqlite3', ['-readonly', '-json', database, sql], { encoding: 'utf8' });
  return text === '' ? [] : (JSON.parse(text) as unknown[]);
}

describe.each(asks)('The queries of the strategy document, through %s', (_, ask) => {
  test('find executions without an SBI', () => {
    expect(ask(queries.orphans)).toHaveLength(3);
    expect(ask(queries.orphans)[0]).toMatchObject({ sbi_id: 'SBI-00000000000000000000000000' });
  });

  test('find turns with several steps', () => {
    expect(ask(queries.duplicates)).toEqual([{ sbi_id: done, turn: 1, cnt: 2 }]);
  });

  test('find an SBI that is done without a success', () => {
    const found = ask(queries.inconsistent) as { id: string }[];

    expect(found.map(({ id }) => id)).toEqual([unproven]);
  });

  test('list by status, newest first', () => {
    expect(ask(queries.list)).toEqual([
      { id: unproven, task_id: unproven, label: null },
      { id: done, task_id: done, label: null },
    ]);
  });

  test('show executions of the last 30 days and no older ones', () => {
    expect((ask(queries.recent) as { turn: number }[]).map(({ turn }) => turn)).toEqual([1, 2]);
  });

  test('tell the version of the schema', () => {
    expect(ask(queries.version)).toEqual([{ value: String(schemaScripts().length) }]);
  });
});

test.each([
  ['listing by status and time', queries.list, 'COVERING INDEX idx_sbi_list (status=?)'],
  [
    'the executions of an SBI',
    `SELECT * FROM execution WHERE sbi_id = '${done}' AND turn = 2`,
    'USING INDEX',
  ],
  [
    'the history of an entity',
    `SELECT * FROM audit_log WHERE entity_type = 'sbi' AND entity_id = 'x'`,
    'idx_audit_entity',
  ],
])('%s reads an index and sorts nothing', (_, sql, plan) => {
  const details = (select(database, `EXPLAIN QUERY PLAN ${sql}`) as { detail: string }[]).map(
    ({ detail }) => detail,
  );

  expect(details).toEqual([expect.stringContaining(plan)]);
});
