import { pathFromDisplay, pathFromText, type QuarantinedEntry } from '@deespec/domain';
import { damageTree } from '@deespec/trees';
import { afterAll, describe, expect, test } from '@jest/globals';
import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  listQuarantine,
  migrate,
  openQuarantined,
  readStatus,
  retryQuarantine,
  verify,
} from '../src/index.js';
import {
  expectError,
  generatedTree,
  listing,
  migratedTree,
  outcomeOf,
  put,
  removeDirectories,
  rows,
  sbisWith,
  sha256,
} from './support.js';

afterAll(removeDirectories);

/** A migrated tree with a torn state file, a directory that is no SBI's, and two bad journal lines in quarantine. */
async function quarantinedTree(): Promise<{ home: string; torn: string; whole: Buffer }> {
  const home = generatedTree('mixed');
  const torn = `${sbisWith(home, 'state.json')[0]!}/state.json`;
  const whole = readFileSync(join(home, torn));
  writeFileSync(join(home, torn), '{"version": ');
  damageTree(home, 'bad-id');
  appendFileSync(join(home, 'var/journal.ndjson'), '{broken\n{"ts":"x"}\n');
  await migrate({ home, quarantine: true });
  return { home, torn, whole };
}

const shown = (entries: readonly QuarantinedEntry[]) => entries.map(({ path, reason }) => [path, reason]);

describe('Quarantine', () => {
  test('lists what is kept by path, each with its reason, and nothing else', async () => {
    const { home, torn } = await quarantinedTree();

    const entries = await listQuarantine({ home });

    expect(shown(entries)).toEqual([
      [torn, expect.stringMatching(/^json-syntax: ./u)],
      ['specs/sbi/SBI-INIT-001', 'sbi-id-format: "SBI-INIT-001"'],
      ['specs/sbi/SBI-INIT-001/spec.md', 'sbi-id-format: "SBI-INIT-001"'],
      ['var/journal.ndjson', expect.stringMatching(/^lines not interpreted: \d+, \d+$/u)],
    ]);
    expect(entries[0]).toMatchObject({ kind: 'file', size: 12, sha256: sha256(join(home, torn)) });
  });

  test('is the same list page by page, from whatever path', async () => {
    const { home } = await quarantinedTree();
    const all = await listQuarantine({ home });

    const [one] = await listQuarantine({ home, limit: 1 });
    const rest = await listQuarantine({ home, after: one!.path });
    const none = await listQuarantine({ home, after: all.at(-1)!.path });
    const journal = await listQuarantine({ home, after: pathFromText('specs/zzz') });

    expect([one, ...rest]).toEqual(all);
    expect(none).toEqual([]);
    expect(journal).toEqual(all.slice(-1));
    await expectError(listQuarantine({ home, limit: 1_001 }), 'USAGE.INVALID');
  });

  test('is empty after a migration that kept nothing, and refused without a database', async () => {
    expect(await listQuarantine({ home: await migratedTree() })).toEqual([]);
    await expectError(listQuarantine({ home: generatedTree() }), 'DATABASE.NOT_FOUND');
  });

  test('opens an entry with its stored bytes and the rule it breaks, whatever the file holds by now', async () => {
    const { home, torn, whole } = await quarantinedTree();
    writeFileSync(join(home, torn), whole);

    const opened = await openQuarantined({ home, path: pathFromText(torn) });
    const bytes = Buffer.concat([...opened.read()]).toString();
    const rules = await opened.listRules();
    opened.close();

    expect(bytes).toBe('{"version": ');
    expect(rules).toEqual([
      { rule: 'json-syntax', why: expect.stringContaining('JSON'), fix: 'correct the file' },
    ]);
  });

  test('names every rule that the lines of a journal break', async () => {
    const { home } = await quarantinedTree();

    const opened = await openQuarantined({ home, path: pathFromText('var/journal.ndjson') });
    const rules = await opened.listRules();
    opened.close();

    expect(rules.map(({ rule }) => rule).toSorted()).toEqual(['journal-syntax', 'time-format']);
  });

  test('does not open what is interpreted or not stored', async () => {
    const { home } = await quarantinedTree();

    const interpreted = await expectError(
      openQuarantined({ home, path: pathFromText('setting.json') }),
      'QUARANTINE.NOT_FOUND',
    );
    const absent = await expectError(
      openQuarantined({ home, path: pathFromDisplay('no\\xffne') }),
      'QUARANTINE.NOT_FOUND',
    );

    expect(interpreted.details).toEqual({ path: 'setting.json', isStored: true });
    expect(absent.details).toEqual({ path: 'no\\xffne', isStored: false });
  });

  test('is the next step of status while it holds anything', async () => {
    const { home } = await quarantinedTree();

    expect((await readStatus({ home })).nextStep).toContain('deespec quarantine list');
  });
});

describe('Retrying the quarantine', () => {
  test('says what became of each entry, and leaves the database that a migration leaves', async () => {
    const { home, torn, whole } = await quarantinedTree();
    const other = `${sbisWith(home, 'state.json')[1]!}/state.json`;
    writeFileSync(join(home, torn), whole);
    writeFileSync(join(home, other), '[]');
    rmSync(join(home, 'specs/sbi/SBI-INIT-001'), { recursive: true });
    const predicted = await migrate({ home, quarantine: true, dryRun: true });

    const report = await retryQuarantine({ home });

    expect(report.entries).toEqual(
      [
        { path: torn, outcome: 'released' },
        { path: other, outcome: 'newly-quarantined', reason: 'json-syntax: an array' },
        { path: 'specs/sbi/SBI-INIT-001', outcome: 'gone' },
        { path: 'specs/sbi/SBI-INIT-001/spec.md', outcome: 'gone' },
        {
          path: 'var/journal.ndjson',
          outcome: 'still-quarantined',
          reason: expect.stringMatching(/^lines/u),
        },
      ].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    );
    expect(report.counts).toEqual({ released: 1, 'newly-quarantined': 1, gone: 2, 'still-quarantined': 1 });
    expect(report.left).toBe(2);
    expect(outcomeOf(report.migration)).toEqual(outcomeOf(predicted));
    expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  });

  test('gives a released entry its rows', async () => {
    const { home, torn, whole } = await quarantinedTree();
    const row = `SELECT status FROM sbi WHERE CAST(path AS TEXT) = '${torn.slice(0, torn.lastIndexOf('/'))}'`;
    const before = rows(home, row);
    writeFileSync(join(home, torn), whole);

    await retryQuarantine({ home });

    expect([before.length, rows(home, row).length]).toEqual([0, 1]);
  });

  test('has nothing left of the entries asked about, and tells of those newly in quarantine', async () => {
    const { home, torn, whole } = await quarantinedTree();
    writeFileSync(join(home, torn), whole);
    put(home, 'workflow.json', '{"a":1,"a":2}');

    const report = await retryQuarantine({ home, paths: [pathFromText(torn)] });

    expect(report.entries).toEqual([
      { path: torn, outcome: 'released' },
      { path: 'workflow.json', outcome: 'newly-quarantined', reason: 'duplicate-key: "a"' },
    ]);
    expect(report.left).toBe(0);
    expect(report.counts['still-quarantined']).toBe(3);
  });

  test('of a path that is not in quarantine does nothing at all', async () => {
    const { home, torn, whole } = await quarantinedTree();
    writeFileSync(join(home, torn), whole);
    const before = listing(home, '%p %s %T@\\0');

    const paths = [pathFromText(torn), pathFromText('setting.json')];
    await expectError(retryQuarantine({ home, paths }), 'QUARANTINE.NOT_FOUND');

    expect(listing(home, '%p %s %T@\\0')).toEqual(before);
    expect(await listQuarantine({ home })).toHaveLength(4);
  });

  test('as a dry run predicts, and changes nothing', async () => {
    const { home, torn, whole } = await quarantinedTree();
    writeFileSync(join(home, torn), whole);
    const before = sha256(join(home, 'deespec.db'));

    const predicted = await retryQuarantine({ home, dryRun: true });

    expect(sha256(join(home, 'deespec.db'))).toBe(before);
    const { entries, counts, left } = await retryQuarantine({ home });
    expect({ entries, counts, left }).toEqual({
      entries: predicted.entries,
      counts: predicted.counts,
      left: predicted.left,
    });
  });

  test('of an empty quarantine is an ordinary migration', async () => {
    const home = await migratedTree();
    renameSync(join(home, 'specs/README.md'), join(home, 'specs/READ.md'));

    const report = await retryQuarantine({ home });

    expect(report).toMatchObject({ entries: [], left: 0, migration: { outcome: 'updated' } });
  });

  test('needs a database, and a mode and a tree that a migration takes', async () => {
    const { home } = await quarantinedTree();
    put(home, 'setting.json', '{"storage_mode":"sqlite"}');

    await expectError(retryQuarantine({ home: generatedTree() }), 'DATABASE.NOT_FOUND');
    await expectError(retryQuarantine({ home }), 'MODE.NOT_GRANTED');
  });

  test('lists a thousand entries and counts the others', async () => {
    const home = generatedTree();
    for (let i = 0; i < 1_100; i++) put(home, `specs/sbi/SBI-x/${i}.md`, '');
    await migrate({ home, quarantine: true });

    const report = await retryQuarantine({ home });

    expect(report.entries).toHaveLength(1_000);
    expect(report).toMatchObject({ counts: { 'still-quarantined': 1_101 }, left: 1_101 });
  });
});
