import { loadConsistency, openHandle } from '@deespec/sqlite-adapter';
import { afterAll, describe, expect, test } from '@jest/globals';
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';

import {
  applyRepair,
  checkDatabase,
  digest,
  listRules,
  openStorage,
  planRepair,
  verify,
  type RepairPlan,
} from '../src/index.js';
import { homeIn, seededHome } from './consistency-homes.js';
import { repairable, unrepairable } from './consistency-seeds.js';
import { corrupt, expectError, removeDirectories, sha256 } from './support.js';

afterAll(removeDirectories);

type Handle = ReturnType<typeof openHandle>;

/** Rules whose findings say that no row can be derived. */
const preventing = new Set(
  (await listRules()).filter(({ repair }) => repair === 'prevents').map(({ rule }) => rule),
);
const rebuilding = new Set(
  (await listRules()).filter(({ repair }) => repair === 'rebuilds').map(({ rule }) => rule),
);
const blockers = unrepairable.filter(({ rule }) => preventing.has(rule) && !/^(?:file-|store-)/u.test(rule));

async function planText(home: string): Promise<string> {
  return (await planRepair({ home })).text;
}

/** Every row of the index and the record, without what numbers them. */
function indexIn(handle: Handle): unknown {
  const execution = `sbi_id, run, turn, step, status, decision, attempt, started_at, completed_at,
    lease_expires_at, content, path, metadata`;
  const all = (sql: string) => handle.prepare(sql).all();
  return {
    sbi: all('SELECT * FROM sbi ORDER BY id'),
    execution: all(`SELECT ${execution} FROM execution ORDER BY sbi_id, run, turn, step`),
    config: all('SELECT * FROM config ORDER BY key'),
    audit: all('SELECT timestamp, entity_id, user, path, seq, hash FROM audit_log ORDER BY path, seq'),
    entries: all('SELECT path, kind, mode, sha256, size, state, reason FROM tree_entry ORDER BY path'),
  };
}

function indexOf(home: string): unknown {
  const handle = openHandle(join(home, 'deespec.db'), 'read');
  try {
    return indexIn(handle);
  } finally {
    handle.close();
  }
}

/** One database on which everything is tried and taken back. */
class Trial {
  constructor(private readonly handle: Handle) {
    handle.pragma('foreign_keys = OFF');
  }

  attempt<T>(work: (handle: Handle) => T): T {
    this.handle.exec('BEGIN IMMEDIATE');
    try {
      return work(this.handle);
    } finally {
      this.handle.exec('ROLLBACK');
    }
  }

  close(): void {
    this.handle.close();
  }
}

const homes = { file: await homeIn('file'), sqlite: await homeIn('sqlite') };
/** What the index holds where nothing is wrong. */
const sound = { file: indexOf(homes.file), sqlite: indexOf(homes.sqlite) };
const trial = {
  file: new Trial(openHandle(join(homes.file, 'deespec.db'), 'write')),
  sqlite: new Trial(openHandle(join(homes.sqlite, 'deespec.db'), 'write')),
};
afterAll(() => Object.values(trial).forEach((one) => one.close()));

/** One fault for each rule whose findings are rebuilt. */
const firstOfEach = [...new Map(repairable.toReversed().map((seed) => [seed.rule, seed])).values()].filter(
  ({ rule }) => rebuilding.has(rule),
);

describe('Repair of rows that are derived', () => {
  test.each(repairable)('derives for $rule: $fault', async ({ sql, mode = 'file' }) => {
    const { findRepairs, rebuildRows } = await loadConsistency();
    const [before, after] = trial[mode].attempt((handle) => {
      handle.exec(sql);
      const { rows: found } = findRepairs(handle);
      rebuildRows(handle, found);
      return [found, { left: findRepairs(handle).rows, index: indexIn(handle) }];
    });

    expect(before).not.toEqual([]);
    expect(after).toEqual({ left: [], index: sound[mode] });
  });

  test.each(firstOfEach)('mends, and commits, for $rule: $fault', async (seed) => {
    const home = await seededHome(seed);
    const { plan, text } = await planRepair({ home });

    const report = await applyRepair({ home, plan: text });

    expect(report).toMatchObject({ outcome: 'repaired', rows: plan.rows.length, digest: plan.state.digest });
    expect(indexOf(home)).toEqual(sound[seed.mode ?? 'file']);
    expect(await checkDatabase({ home, rules: [seed.rule, 'evidence-rows'] })).toMatchObject({ ok: true });
  });

  test.each(['file', 'sqlite'] as const)(
    'mends several at once in mode %s, which verify proves',
    async (mode) => {
      const home = await homeIn(mode, 'whole');
      const faults = /^(?:a status|a decision|the path of|a setting|an actor|a lost SBI)/u;
      for (const { sql } of repairable.filter(({ fault }) => faults.test(fault))) corrupt(home, sql);

      const { digest: stored } = await applyRepair({ home, plan: await planText(home) });

      expect((await digest({ directory: home })).digest).toBe(stored);
      expect(indexOf(home)).toEqual(sound[mode]);
      expect(await verify({ home, checkAll: true })).toMatchObject({ ok: true, databaseDigest: stored });
    },
  );

  test('does nothing, and leaves no copy, when there is nothing to mend', async () => {
    const home = await homeIn('sqlite');
    const before = sha256(join(home, 'deespec.db'));

    const report = await applyRepair({ home, plan: await planText(home) });

    expect(report).toMatchObject({ outcome: 'nothing', rows: 0 });
    expect(report).not.toHaveProperty('backup');
    expect(sha256(join(home, 'deespec.db'))).toBe(before);
    expect(existsSync(join(home, '.storage/copies'))).toBe(false);
  });

  test('works while a service has the database open', async () => {
    const home = await homeIn('sqlite', 'whole');
    const storage = await openStorage({ home });
    try {
      await storage.setConfig('setting.max_turns', '9');
      await storage.settled();
      corrupt(home, `UPDATE sbi SET priority = priority + 1`);

      await applyRepair({ home, plan: await planText(home) });
      await storage.setConfig('setting.max_turns', '10');

      expect((await storage.getConfig('setting.max_turns')).valueJson).toBe('10');
    } finally {
      await storage.close();
    }
    expect((await checkDatabase({ home, rules: ['index-sbi', 'index-config'] })).ok).toBe(true);
  });

  test('keeps a copy of the database as it was, for its owner alone', async () => {
    const home = await homeIn('file');
    corrupt(home, `UPDATE sbi SET priority = 77`);

    const { backup } = await applyRepair({ home, plan: await planText(home) });

    expect(lstatSync(backup!).mode & 0o777).toBe(0o600);
    const { default: Database } = await import('better-sqlite3');
    const copy = new Database(backup, { readonly: true });
    expect(copy.prepare('SELECT DISTINCT priority FROM sbi').pluck().all()).toEqual([77]);
    copy.close();
  });
});

describe('A plan of a repair', () => {
  test('is the same for the same state, and changes nothing', async () => {
    const home = await homeIn('file');
    corrupt(home, `UPDATE sbi SET priority = 77`);
    const before = sha256(join(home, 'deespec.db'));

    const [one, other] = [await planText(home), await planText(home)];

    expect(other).toBe(one);
    expect(sha256(join(home, 'deespec.db'))).toBe(before);
  });

  test('names rows, rules and what they are derived from, and no value', async () => {
    const home = await homeIn('file');
    corrupt(home, `UPDATE config SET value = '"secret"' WHERE key = 'setting.max_turns'`);
    corrupt(
      home,
      `INSERT INTO config VALUES ('x', '1', '2001-02-03T04:05:06.000000000Z', CAST('nowhere' AS BLOB))`,
    );

    const { plan, text } = await planRepair({ home });

    expect(plan.rows).toEqual([
      {
        rule: 'index-config',
        table: 'config',
        key: 'setting.max_turns',
        is: 'different',
        from: 'setting.json',
      },
      { rule: 'index-config', table: 'config', key: 'x', is: 'not derived' },
    ]);
    expect(text).not.toContain('secret');
  });

  const states = [
    ['a write since', `UPDATE storage_state SET rev = rev + 1`],
    ['another fault since', `UPDATE sbi SET priority = 78`],
    ['a fault that is gone', `DELETE FROM config WHERE key = 'x'`],
    ['other bytes since', `UPDATE tree_entry SET mode = 448 WHERE path = CAST('specs/README.md' AS BLOB)`],
  ] as const;

  test.each(states)('is refused after %s', async (_, sql) => {
    const home = await homeIn('file');
    corrupt(
      home,
      `INSERT INTO config VALUES ('x', '1', '2001-02-03T04:05:06.000000000Z', CAST('nowhere' AS BLOB))`,
    );
    const plan = await planText(home);
    corrupt(home, sql);
    const before = sha256(join(home, 'deespec.db'));

    await expectError(applyRepair({ home, plan }), 'REPAIR.PLAN_STALE');

    expect(sha256(join(home, 'deespec.db'))).toBe(before);
  });

  const edits: readonly (readonly [string, (plan: RepairPlan) => unknown])[] = [
    ['names another tree', (plan) => ({ ...plan, state: { ...plan.state, storeId: 'x' } })],
    ['leaves a row out', (plan) => ({ ...plan, rows: plan.rows.slice(1) })],
    ['names a row that is sound', (plan) => ({ ...plan, rows: [...plan.rows, plan.rows[0]] })],
    [
      'says what a row is to become',
      (plan) => ({ ...plan, rows: plan.rows.map((row) => ({ ...row, value: 1 })) }),
    ],
  ];

  test.each(edits)('is refused when it %s', async (_, edit) => {
    const home = await homeIn('file');
    corrupt(home, `UPDATE sbi SET priority = 77`);
    const { plan } = await planRepair({ home });

    await expectError(applyRepair({ home, plan: JSON.stringify(edit(plan)) }), 'REPAIR.PLAN_STALE');
  });

  test.each(['', '[]', 'null', '{"schema":"deespec.repair-plan/1"}', '{"schema":"x"}', '{"a":'])(
    'is refused when it is %j',
    async (plan) => {
      await expectError(applyRepair({ home: await homeIn('file'), plan }), 'REPAIR.PLAN_INVALID');
    },
  );
});

describe('Damage that nothing can be derived from', () => {
  test.each(blockers)('is not repaired, and named, for $rule: $fault', async (seed) => {
    const home = await seededHome(seed);
    corrupt(home, `UPDATE config SET value = '9'`);

    const error = await expectError(planRepair({ home }), 'REPAIR.BLOCKED');

    expect(error.message).toContain(seed.rule);
    expect(error.hint).toContain('nothing was changed');
  });

  test('that comes after the plan keeps it from being applied', async () => {
    const home = await homeIn('file');
    corrupt(home, `UPDATE config SET value = '9'`);
    const plan = await planText(home);
    const [damage] = unrepairable.filter(({ rule }) => rule === 'content-hash');
    corrupt(home, damage!.sql);
    const before = sha256(join(home, 'deespec.db'));

    await expectError(applyRepair({ home, plan }), 'REPAIR.BLOCKED');

    expect(sha256(join(home, 'deespec.db'))).toBe(before);
    expect(existsSync(join(home, '.storage/copies'))).toBe(false);
  });
});
