import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { auditWriter, toAuditData } from '../src/audit-format.js';
import {
  dangerous,
  deespec,
  documentOf,
  homeIn,
  removeDirectories,
  runInProcess,
  sbiIds,
} from './support.js';
import type { Run } from './support.js';

// Many processes, each of which loads the whole program.
jest.setTimeout(120_000);
afterAll(removeDirectories);

/** A key whose name has everything that CSV quotes, and what would drive a terminal. */
const key = 'setting.a "b",\r\nc\u009b31m';

/** Rows of RFC 4180 text. */
function parseCsv(text: string): string[][] {
  const rows = [...text.matchAll(/((?:(?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,|\r\n))+?)(?<=\r\n)/gu)];
  return rows.map(([row]) =>
    [...row.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?:,|\r\n)/gu)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
    ),
  );
}

describe.each(['file', 'dual_write', 'sqlite'] as const)('audit in mode %s', (mode) => {
  let home: string;
  let sbi: string;
  const look = (...args: string[]): Promise<Run> => runInProcess(['audit', ...args, '--home', home]);

  beforeAll(async () => {
    home = await homeIn(mode);
    sbi = sbiIds(home)[0]!;
    for (const words of [
      ['config', 'set', key, '--text', 'x'],
      ['sbi', 'label', sbi, 'one'],
      ['sbi', 'set-status', sbi, 'DONE'],
    ]) {
      expect((await runInProcess([...words, '--home', home])).exitCode).toBe(0);
    }
  });

  test('is a table for people, oldest first, that cannot drive a terminal', async () => {
    const { exitCode, stdout } = await deespec(['audit', '--home', home]);

    const lines = stdout.toString().trimEnd().split('\n');
    expect(exitCode).toBe(0);
    expect(lines[0]).toMatch(/^SEQ +TIME +USER +ACTION +ENTITY +OLD +NEW$/u);
    expect(lines.slice(1).map((line) => /(?:config|sbi) \w+/u.exec(line)?.[0])).toEqual([
      'sbi write',
      'config set',
      'sbi update',
      'sbi update',
    ]);
    expect(stdout.toString()).not.toMatch(dangerous);
  });

  test('--format csv quotes what has commas, quotes and line ends', async () => {
    const { stdout } = await deespec(['audit', '--format', 'csv', '--home', home]);

    const [names = [], ...rows] = parseCsv(stdout.toString());
    expect(names).toEqual(
      Object.keys(toAuditData({ timestamp: '', entityType: '', entityId: '', action: '' })),
    );
    expect(rows.map((row) => row.length)).toEqual([15, 15, 15, 15]);
    expect(rows[0]![names.indexOf('source')]).toMatch(/^journal\//u);
    expect(rows[1]![names.indexOf('entityId')]).toBe(key);
    expect(rows[3]![names.indexOf('newValue')]).toBe('{"status":"DONE"}');
  });

  test('--format csv on a terminal is escaped', async () => {
    const { stdout } = await runInProcess(['audit', '--format', 'csv', '--home', home], true);

    expect(stdout.toString()).toContain('"setting.a ""b"",\\x0d\\x0ac\\x9b31m"');
    expect(stdout.toString()).not.toMatch(dangerous);
  });

  test('--format ndjson and json hold the same rows as --json', async () => {
    const lines = (await look('--format', 'ndjson')).stdout.toString();
    const array = (await look('--format', 'json')).stdout.toString();
    const { data } = documentOf(await look('--json'));

    expect(lines).not.toMatch(dangerous);
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(data.items);
    expect(JSON.parse(array)).toEqual(data.items);
    expect(data).toMatchObject({
      nextOffset: null,
      items: [{ seq: null }, { seq: 1, entityId: key }, {}, {}],
    });
  });

  test('--entity, --since, --limit and --offset choose rows', async () => {
    const one = documentOf(await look('--entity', sbi, '--limit', '1', '--json'));
    const next = documentOf(await look('--entity', sbi, '--limit', '1', '--offset', '1', '--json'));
    const none = await look('--since', '2999-01-01');
    const all = documentOf(await look('--since', '2000-01-01T01:00:00+01:00', '--json'));
    const two = await look('--format', 'ndjson', '--limit', '2');

    expect(one.data).toMatchObject({ nextOffset: 1, items: [{ newValue: '{"label":"one"}' }] });
    expect(next.data).toMatchObject({ items: [{ newValue: '{"status":"DONE"}' }] });
    expect(none.stdout.toString()).toBe('no row\n');
    expect(all.data.items).toHaveLength(4);
    expect(two.stdout.toString().match(/\n/gu)).toHaveLength(2);
  });

  test('verify follows the chain, and is 2 with the number of a record that was altered', async () => {
    const whole = documentOf(await look('verify', '--json'));
    const file = join(home, '.storage/audit.ndjson');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace('"one', '"two').replace('\\"one', '\\"two'));

    const broken = await deespec(['audit', 'verify', '--home', home]);
    writeFileSync(file, before);

    expect(whole).toMatchObject({ ok: true, data: { ok: true, problems: [], head: { seq: 3 } } });
    expect(broken.exitCode).toBe(2);
    expect(broken.stdout.toString()).toContain('the chain of changes is broken\n');
    expect(broken.stdout.toString()).toMatch(/^ {2}outside the database, record 2: was changed/mu);
  });
});

describe('a row as CSV', () => {
  const { row } = auditWriter('csv', 'file');
  const entry = { timestamp: 't', entityType: 'sbi', entityId: 'x', action: 'create' };

  test.each([
    ['plain', 'plain'],
    ['', '""'],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['a\nb', '"a\nb"'],
    ['a\rb', '"a\rb"'],
  ])('writes the user %j as %j', (user, field) => {
    expect(row({ ...entry, user })).toBe(`,t,sbi,x,create,,,${field},,,,,,,\r\n`);
  });
});
