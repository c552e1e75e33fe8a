import type { AppliedScript } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import { describeScripts, loadScripts, normalizedSql, planDown, planUp } from '../src/index.js';

const file = (name: string, text = 'SELECT 1;') => ({ name, text });
const pair = (name: string) => [file(`${name}.up.sql`), file(`${name}.down.sql`)];

describe('loadScripts', () => {
  test('orders versions by number and hashes the up script', () => {
    const scripts = loadScripts([...pair('002_b'), ...pair('001_a')]);

    expect(scripts.map(({ version, name }) => [version, name])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(scripts[0]!.checksum).toBe('17db4fd369edb9244b9f91d9aeed145c3d04ad8ba6e95d06247f07a63527d11a');
  });

  test.each([
    ['a gap', [...pair('001_a'), ...pair('003_c')], 'version 2 is missing'],
    ['a missing down', [file('001_a.up.sql')], 'needs an up and a down'],
    ['two names', [file('001_a.up.sql'), file('001_b.down.sql')], 'two names'],
    ['a stray file', [file('notes.txt')], 'notes.txt'],
  ])('refuses %s before anything runs', (_, files, message) => {
    expect(() => loadScripts(files)).toThrow(
      expect.objectContaining({ code: 'MIGRATION.MALFORMED', message: expect.stringContaining(message) }),
    );
  });
});

describe('normalizedSql', () => {
  const sql = `CREATE TABLE t (a TEXT CHECK (a <> '--x  /*'), "b c" INT);`;

  test.each([
    ['line ends', `CREATE TABLE t (a TEXT\r\n CHECK (a <> '--x  /*'),\r "b c" INT);\r\n`],
    [
      'comments',
      `-- a licence\nCREATE TABLE t (a TEXT /* the\nfirst */ CHECK (a <> '--x  /*'), "b c" INT); -- end`,
    ],
    ['spaces', `CREATE  TABLE t(a TEXT CHECK(a<>'--x  /*'),"b c" INT)\n\t;`],
  ])('is the same whatever its %s', (_, other) => {
    expect(normalizedSql(other)).toBe(normalizedSql(sql));
  });

  test.each([
    ['a text in quotes', sql.replace('--x  /*', '--x /*')],
    ['a name in quotes', sql.replace('"b c"', '"b  c"')],
    ['a word', sql.replace('INT', 'INTEGER')],
    ['a sign', sql.replace('<>', '>')],
    ['a word that becomes two', sql.replace('TABLE', 'TAB LE')],
  ])('is another one with another %s', (_, other) => {
    expect(normalizedSql(other)).not.toBe(normalizedSql(sql));
  });
});

describe('plans', () => {
  const scripts = loadScripts([...pair('001_a'), ...pair('002_b'), ...pair('003_c')]);
  const rowOf = ({ version, name, checksum, normalized }: (typeof scripts)[number]): AppliedScript => ({
    version,
    appliedAt: '',
    description: name,
    checksum,
    normalized,
  });
  const applied = scripts.map(rowOf);

  test('list what is still to apply, and what to take back, newest first', () => {
    const versions = (plan: readonly { version: number }[]) => plan.map(({ version }) => version);

    expect(versions(planUp(scripts, applied.slice(0, 1)))).toEqual([2, 3]);
    expect(versions(planUp(scripts, applied.slice(0, 1), 2))).toEqual([2]);
    expect(planUp(scripts, applied)).toEqual([]);
    expect(versions(planDown(scripts, applied, 1))).toEqual([3, 2]);
    expect(planDown(scripts, applied, 3)).toEqual([]);
  });

  test.each([
    ['up to a version that is passed', () => planUp(scripts, applied.slice(0, 2), 1)],
    ['up to a version that no script makes', () => planUp(scripts, applied, 4)],
    ['down to a version that is not reached', () => planDown(scripts, applied.slice(0, 2), 3)],
    ['down below the first version', () => planDown(scripts, applied, 0)],
  ])('refuse a way %s', (_, plan) => {
    expect(plan).toThrow(expect.objectContaining({ code: 'USAGE.INVALID' }));
  });

  test('tell a newer database, an edited script and a missing record apart', () => {
    const newer = { ...applied[2]!, version: 4 };
    const [first] = applied;

    expect(() => planUp(scripts, [...applied, newer])).toThrow(
      expect.objectContaining({ code: 'DATABASE.NEWER' }),
    );
    expect(() => planUp(scripts, [{ ...first!, checksum: 'x', normalized: 'x' }])).toThrow(
      expect.objectContaining({ code: 'MIGRATION.CHECKSUM_MISMATCH' }),
    );
    expect(() => planUp(scripts, [{ ...first!, description: 'other' }])).toThrow(
      expect.objectContaining({ code: 'MIGRATION.CHECKSUM_MISMATCH' }),
    );
    expect(() => planUp(scripts, [applied[1]!])).toThrow(
      expect.objectContaining({ code: 'MIGRATION.MISSING' }),
    );
  });

  test('take a script that was laid out anew for the one that was applied', () => {
    const relaid = loadScripts([
      file('001_a.up.sql', '-- now with a comment\r\nSELECT 1\t;'),
      ...pair('001_a').slice(1),
    ]);

    expect(planUp(relaid, [rowOf(scripts[0]!)])).toEqual([]);
    expect(describeScripts(relaid, [rowOf(scripts[0]!)])).toMatchObject([
      { version: 1, state: 'reformatted' },
    ]);
  });

  test('say how each script stands', () => {
    const rows = [
      { ...applied[0]!, durationMs: 7 },
      { ...applied[2]!, checksum: 'x', normalized: 'x' },
      { ...applied[2]!, version: 4, description: 'of a later time' },
    ];

    expect(describeScripts(scripts, rows)).toMatchObject([
      { version: 1, name: 'a', state: 'applied', durationMs: 7 },
      { version: 2, name: 'b', state: 'unrecorded' },
      { version: 3, name: 'c', state: 'edited', checksum: 'x' },
      { version: 4, name: 'of a later time', state: 'newer' },
    ]);
    expect(describeScripts(scripts, applied.slice(0, 1))).toMatchObject([
      { state: 'applied' },
      { state: 'pending' },
      { state: 'pending' },
    ]);
  });
});
