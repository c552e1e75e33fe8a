import { afterAll, describe, expect, test } from '@jest/globals';
import { appendFileSync, chmodSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { digest, migrate, verify, type MigrateReport } from '../src/index.js';
import {
  expectNothingPublished,
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

/** Migrates again: a dry run must predict exactly what the real run then does. The result must verify. */
async function migrateAgain(home: string): Promise<MigrateReport> {
  const predicted = await migrate({ home, dryRun: true });
  const report = await migrate({ home });

  expect(outcomeOf(predicted)).toEqual(outcomeOf(report));
  expect((await verify({ home, checkAll: true })).differences).toEqual([]);
  expect(report.digest).toBe((await digest({ directory: home })).digest);
  expect((await migrate({ home })).outcome).toBe('unchanged');
  return report;
}

const specOf = (home: string) => join(home, sbisWith(home, 'state.json')[0]!, 'spec.md');

describe('Second run', () => {
  test('writes nothing when nothing changed, and says so', async () => {
    const home = await migratedTree();
    const database = join(home, 'deespec.db');
    const before = { sha256: sha256(database), ...statSync(database) };

    const report = await migrate({ home });

    expect(report).toMatchObject({
      outcome: 'unchanged',
      written: { entries: 0, bytes: 0, rows: 0, removed: 0 },
      equation: { holds: true },
    });
    expect(report.digest).toBe((await digest({ directory: home })).digest);
    expect({ sha256: sha256(database), ...statSync(database) }).toEqual({
      ...before,
      atime: expect.anything(),
      atimeMs: expect.anything(),
    });
  });

  test('writes exactly the file whose bytes changed', async () => {
    const home = await migratedTree();
    writeFileSync(specOf(home), 'other bytes\n');

    const report = await migrateAgain(home);

    expect(report).toMatchObject({ outcome: 'updated', written: { entries: 1, bytes: 12, removed: 0 } });
  });

  test('finds a change of bytes that kept length and time', async () => {
    const home = await migratedTree();
    const file = put(home, 'knowledge/a.md', 'one');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    await migrate({ home });
    writeFileSync(file, 'two');
    utimesSync(file, 1_700_000_000, 1_700_000_000);

    const report = await migrateAgain(home);

    expect(report.written).toEqual({ entries: 1, bytes: 3, rows: 0, removed: 0 });
  });

  test('finds such a change anywhere in a tree that two threads read', async () => {
    const home = generatedTree();
    const at = 1_700_000_000;
    const files = Array.from({ length: 3_200 }, (_, number) => `z/${number}.md`);
    for (const file of files) utimesSync(put(home, file, `one ${file}`), at, at);
    await migrate({ home });
    expect((await migrate({ home })).outcome).toBe('unchanged');
    // In turn: a thread that missed one of them would find the tree unchanged.
    for (const number of [0, 999, 950, 900]) {
      const file = files[number]!;
      utimesSync(put(home, file, `two ${file}`), at, at);

      expect(await migrate({ home })).toMatchObject({
        outcome: 'updated',
        written: { entries: 1, removed: 0 },
      });
    }
  }, 60_000);

  test('writes exactly the entry whose mode changed, and the one whose time did', async () => {
    const home = await migratedTree();
    chmodSync(join(home, 'setting.json'), 0o600);
    expect((await migrateAgain(home)).written).toMatchObject({ entries: 1, removed: 0 });

    utimesSync(join(home, 'specs/README.md'), 1_600_000_000, 1_600_000_000);

    expect((await migrateAgain(home)).written).toMatchObject({ entries: 1, rows: 0, removed: 0 });
  });

  test('writes an added file and its directory, whose time changed', async () => {
    const home = await migratedTree();
    put(home, 'specs/added.md', 'new\n');

    expect((await migrateAgain(home)).written).toEqual({ entries: 2, bytes: 4, rows: 0, removed: 0 });
  });

  test('removes a removed file, and writes its directory', async () => {
    const home = await migratedTree();
    rmSync(join(home, 'specs/README.md'));

    expect((await migrateAgain(home)).written).toEqual({ entries: 1, bytes: 0, rows: 0, removed: 1 });
  });

  test('removes the rows of a removed SBI', async () => {
    const home = await migratedTree('A');
    const [gone] = sbisWith(home, 'state.json');
    const inside = listing(join(home, gone!)).length - 1;
    rmSync(join(home, gone!), { recursive: true });

    const report = await migrateAgain(home);

    expect(report.written).toMatchObject({ entries: 1, bytes: 0, removed: inside + 1 });
    expect(report.rows.sbi).toBe(5);
    expect(rows(home, `SELECT * FROM execution WHERE sbi_id = '${basename(gone!)}'`)).toEqual([]);
  });

  test.each(['A', 'B'] as const)('follows an SBI of layout %s to its new directory', async (layout) => {
    const home = await migratedTree(layout);
    const [old] = sbisWith(home, layout === 'A' ? 'state.json' : 'spec.md').filter(
      (path) => path.length === 40,
    );
    const before = rows(home, 'SELECT id, status FROM sbi ORDER BY id');
    renameSync(join(home, old!), join(home, `${old!}_new-name`));

    const report = await migrateAgain(home);

    expect(report.written.removed).toBeGreaterThan(0);
    expect(rows(home, 'SELECT id, status FROM sbi ORDER BY id')).toEqual(before);
    expect(rows(home, `SELECT CAST(path AS TEXT) AS path FROM sbi WHERE id = '${basename(old!)}'`)).toEqual([
      { path: `${old!}_new-name` },
    ]);
  });

  test('follows two SBIs that swap their directories', async () => {
    const home = await migratedTree('A');
    const [one, two] = sbisWith(home, 'state.json').map((path) => join(home, path));
    renameSync(one!, `${home}.aside`);
    renameSync(two!, one!);
    renameSync(`${home}.aside`, two!);

    const report = await migrateAgain(home);

    expect(report).toMatchObject({ outcome: 'updated', rows: { sbi: 6 } });
  });

  test('writes one entry and its rows when a journal line is appended', async () => {
    const home = await migratedTree('B');
    const id = basename(sbisWith(home, 'spec.md')[0]!).slice(0, 30);
    const count = `SELECT count(*) AS number FROM execution`;
    const [before] = rows(home, count) as { number: number }[];
    const line = {
      artifacts: [{ type: 'pick', id }],
      decision: 'PENDING',
      step: 'plan',
      turn: 1,
      elapsed_ms: 1,
    };
    appendFileSync(
      join(home, 'var/journal.ndjson'),
      `${JSON.stringify({ ...line, error: '', ts: '2026-01-02T03:04:05Z' })}\n`,
    );

    const report = await migrateAgain(home);

    expect(report.written).toMatchObject({ entries: 1, removed: 0 });
    expect(rows(home, count)).toEqual([{ number: before!.number + 1 }]);
  });

  test('puts a directory where a file was, and a file where a directory was', async () => {
    const home = await migratedTree();
    put(home, 'knowledge/x', 'file');
    put(home, 'knowledge/y/z', 'below');
    await migrate({ home });
    rmSync(join(home, 'knowledge/x'));
    put(home, 'knowledge/x/y', 'below');
    rmSync(join(home, 'knowledge/y'), { recursive: true });
    put(home, 'knowledge/y', 'file');

    await migrateAgain(home);

    expect(
      rows(
        home,
        `SELECT CAST(path AS TEXT) AS path, kind FROM tree_entry WHERE path > x'6b6e6f776c656467652f' AND path < x'6b6e6f776c6564676530'`,
      ),
    ).toEqual([
      { path: 'knowledge/x', kind: 'd' },
      { path: 'knowledge/x/y', kind: 'f' },
      { path: 'knowledge/y', kind: 'f' },
    ]);
  });

  test('adds an evidence row for each run that published', async () => {
    const home = await migratedTree();
    put(home, 'setting.json', '{"a":1}');

    const report = await migrate({ home });

    expect(rows(home, 'SELECT action, run_id, digest FROM evidence ORDER BY at')).toEqual([
      expect.objectContaining({ action: 'migrate' }),
      { action: 'migrate', run_id: report.runId, digest: report.digest },
    ]);
  });
});

describe('Dry run', () => {
  test('changes nothing and predicts the first run', async () => {
    const home = generatedTree();
    const before = { listing: listing(home), digest: await digest({ directory: home }) };

    const predicted = await migrate({ home, dryRun: true });

    expect(predicted).toMatchObject({ dryRun: true, outcome: 'created' });
    expect({ listing: listing(home), digest: await digest({ directory: home }) }).toEqual(before);
    expectNothingPublished(home);
    expect(outcomeOf(await migrate({ home }))).toEqual(outcomeOf(predicted));
  });

  test('leaves the published database as it is', async () => {
    const home = await migratedTree();
    const database = join(home, 'deespec.db');
    const before = { sha256: sha256(database), mtimeMs: statSync(database).mtimeMs };
    writeFileSync(specOf(home), 'other bytes\n');

    const predicted = await migrate({ home, dryRun: true });

    expect(predicted).toMatchObject({ outcome: 'updated', written: { entries: 1 } });
    expect({ sha256: sha256(database), mtimeMs: statSync(database).mtimeMs }).toEqual(before);
  });

  test('predicts a first run with quarantine', async () => {
    const home = generatedTree('A');
    put(home, 'specs/sbi/SBI-INIT-001/spec.md', '# old\n');

    const predicted = await migrate({ home, dryRun: true, quarantine: true });

    expect(predicted.quarantined).toBeGreaterThan(0);
    expect(outcomeOf(await migrate({ home, quarantine: true }))).toEqual(outcomeOf(predicted));
  });
});
