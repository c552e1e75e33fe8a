import { afterEach, describe, expect, jest, test } from '@jest/globals';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { createBackup, digest, pruneBackups, readBackups, verifyBackup } from '../../src/index.js';
import { expectError, removeDirectories } from '../support.js';
import { another, backedUp, daysAfter, manifestOf, pathsOf, putManifest } from './backup-support.js';

afterEach(removeDirectories);
// Each starts processes that read whole databases.
jest.setTimeout(120_000);

const digestOf = async (home: string): Promise<string> => (await digest({ directory: home })).digest;
const namesIn = (home: string): string[] =>
  readdirSync(join(home, 'backups')).filter((name) => !name.endsWith('.json'));

describe('verifyBackup', () => {
  test('reads all of it again and notes when', async () => {
    const { home, id, manifest } = await backedUp();

    const result = await verifyBackup({ home, id });

    expect(result).toMatchObject({ id, ok: true });
    expect(result.manifest.verifiedAt! > manifest.verifiedAt!).toBe(true);
  });

  test.each([
    [
      'a flipped byte',
      (file: string) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 100] = bytes.at(-100)! ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    ['a missing end', (file: string) => truncateSync(file, 8_192)],
    [
      "another program's file",
      (file: string) => writeFileSync(file, Buffer.alloc(readFileSync(file).length, 'x')),
    ],
  ] as const)('says what is wrong: %s', async (_what, damage) => {
    const { home, id, path } = await backedUp();
    damage(path);

    const { ok, problem } = await verifyBackup({ home, id });

    expect(ok).toBe(false);
    expect(problem).not.toBe('');
    expect((await readBackups({ home })).backups).toMatchObject([{ id, state: 'unverified', problem }]);
    expect(await verifyBackup({ home, id })).toMatchObject({ ok: false });
  });

  test('knows no backup by a path', async () => {
    const { home } = await backedUp();

    await expectError(verifyBackup({ home, id: '../setting.json' }), 'BACKUP.NOT_FOUND');
  });

  test('reads a compressed one, and no more of it than its manifest says', async () => {
    const { home, id, manifest } = await backedUp();
    await pruneBackups({ home, now: new Date(daysAfter(manifest.createdAt, 8)) });
    const name = `${id}.db.gz`;
    expect(await verifyBackup({ home, id })).toMatchObject({ ok: true });

    const bomb = gzipSync(Buffer.alloc(manifest.size + 50_000_000));
    writeFileSync(pathsOf(home, name).file, bomb);
    const compressed = { size: bomb.length, sha256: createHash('sha256').update(bomb).digest('hex') };
    putManifest(home, name, { ...manifestOf(home, name), compressed });

    expect((await verifyBackup({ home, id })).problem).toContain(`more than ${manifest.size} bytes`);
  });
});

describe('pruneBackups', () => {
  /** Six backups, a day apart, the first one ten days after the others began. */
  async function sixBackups() {
    const first = await backedUp();
    const { home, manifest } = first;
    const ids = [1, 2, 3, 4, 5].map((day) =>
      another(home, first, { seq: day + 1, createdAt: daysAfter(manifest.createdAt, day) }),
    );
    return { ...first, ids: [first.id, ...ids], start: manifest.createdAt };
  }

  const actionsOf = ({ actions }: Awaited<ReturnType<typeof pruneBackups>>): Record<string, string> =>
    Object.fromEntries(actions.map(({ id, action }) => [id.slice(-1), action]));

  test('compresses and removes by age, and leaves the digest as it is', async () => {
    const { home, start } = await sixBackups();
    const before = await digestOf(home);
    const now = new Date(daysAfter(start, 32.5));

    const dry = await pruneBackups({ home, now, dryRun: true });
    expect(namesIn(home)).toHaveLength(6);
    const report = await pruneBackups({ home, now });

    const expected = { 1: 'remove', 2: 'remove', 3: 'remove', 4: 'compress', 5: 'compress', 6: 'compress' };
    expect([actionsOf(dry), actionsOf(report)]).toEqual([expected, expected]);
    expect(namesIn(home).map((name) => name.slice(-8))).toEqual(['04.db.gz', '05.db.gz', '06.db.gz']);
    expect(await digestOf(home)).toBe(before);
    expect(readdirSync(join(home, '.storage/backups'))).toEqual([]);
    expect(actionsOf(await pruneBackups({ home, now }))).toEqual({ 4: 'keep', 5: 'keep', 6: 'keep' });
  });

  test('keeps the last ones and the newest verified one when the clock jumps ahead by years', async () => {
    const { home, start } = await sixBackups();
    const newest = pathsOf(home, namesIn(home).at(-1)!);
    const { verifiedAt: _at, ...unproven } = JSON.parse(readFileSync(newest.manifest, 'utf8'));
    writeFileSync(newest.manifest, JSON.stringify(unproven));

    await pruneBackups({ home, keepLast: 1, now: new Date(daysAfter(start, 9_000)) });

    expect(namesIn(home).map((name) => name.slice(-8))).toEqual(['05.db.gz', '00006.db']);
  });

  test('removes nothing when the clock jumps back', async () => {
    const { home, start } = await sixBackups();

    const report = await pruneBackups({ home, keepLast: 0, now: new Date(daysAfter(start, -9_000)) });

    expect(new Set(Object.values(actionsOf(report)))).toEqual(new Set(['keep']));
  });

  test('does not believe that the newest is sound, and removes nothing that has no newer sound one', async () => {
    const { home, start } = await sixBackups();
    for (const name of namesIn(home).slice(-5)) writeFileSync(pathsOf(home, name).file, 'gone');

    await pruneBackups({ home, keepLast: 0, gzipAfterDays: 20_000, now: new Date(daysAfter(start, 9_000)) });

    expect(namesIn(home)).toHaveLength(6);
  });

  test('reads the newest before it removes others', async () => {
    const { home, start } = await sixBackups();
    const file = pathsOf(home, namesIn(home).at(-1)!).file;
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0, 4_096, 8_192));

    await pruneBackups({ home, keepLast: 0, gzipAfterDays: 20_000, now: new Date(daysAfter(start, 9_000)) });

    const { backups } = await readBackups({ home });
    expect(backups.map(({ manifest, state }) => [manifest!.seq, state])).toEqual([
      [6, 'unverified'],
      [5, 'verified'],
    ]);
  });

  test('finishes a compression that was cut off before the plain file was removed', async () => {
    const { home, id, manifest, path } = await backedUp();
    const plain = readFileSync(path);
    await pruneBackups({ home, now: new Date(daysAfter(manifest.createdAt, 8)) });
    const name = `${id}.db`;
    writeFileSync(pathsOf(home, name).file, plain);
    putManifest(home, name, { schema: 'deespec.backup/1', ...manifest });
    const directory = join(home, '.storage/backups/compress-again');
    mkdirSync(directory);
    const packed = pathsOf(home, `${name}.gz`);
    linkSync(packed.file, join(directory, 'data'));
    linkSync(packed.manifest, join(directory, 'manifest.json'));
    writeFileSync(join(directory, 'plan.json'), JSON.stringify({ add: `${name}.gz`, remove: name }));
    expect((await readBackups({ home })).backups).toHaveLength(1);

    const next = await createBackup({ home });

    expect(namesIn(home)).toEqual([`${name}.gz`, `${next.id}.db`]);
  });
});

describe('What is none of our backups', () => {
  test('is named, refused and left alone', async () => {
    const report = await backedUp();
    const { home, manifest } = report;
    const old = daysAfter(manifest.createdAt, -9_000);
    const own = { schema: 'deespec.backup/1', ...manifest };
    const place = (seq: number): string => `backup_20010101_000000_${String(seq).padStart(6, '0')}.db`;
    const id = (seq: number): string => place(seq).slice(0, -3);
    const cases: readonly (readonly [seq: number, manifest: unknown, problem: RegExp])[] = [
      [11, { ...own, id: id(11), seq: 11, createdAt: old, storeId: '0'.repeat(26) }, /another tree/u],
      [12, { ...own, id: '../../setting', seq: 12, createdAt: old }, /"id"/u],
      [13, { ...own, id: id(14), seq: 13, createdAt: old }, /another backup/u],
      [14, { ...own, id: id(14), seq: 14, createdAt: 'yesterday' }, /"createdAt"/u],
      [15, ['x'], /not one of DeeSpec/u],
      [16, { ...own, id: id(16), seq: 16, note: 'x'.repeat(2_000_000) }, /LAYOUT\.MALFORMED/u],
      [17, { ...own, id: id(17), seq: 17, size: -1 }, /"size"/u],
    ];
    for (const [seq, value] of cases) {
      writeFileSync(pathsOf(home, place(seq)).file, 'x');
      putManifest(home, place(seq), value);
    }
    symlinkSync('/etc/hostname', pathsOf(home, place(18)).file);
    putManifest(home, place(18), { ...own, id: id(18), seq: 18 });
    mkdirSync(pathsOf(home, place(19)).file);
    putManifest(home, place(19), { ...own, id: id(19), seq: 19 });
    writeFileSync(pathsOf(home, place(20)).file, 'lone');
    for (const time of ['010101', '020202']) {
      const name = `backup_20010101_${time}_000021`;
      writeFileSync(pathsOf(home, `${name}.db`).file, 'x');
      putManifest(home, `${name}.db`, { ...own, id: name, seq: 21, createdAt: old });
    }
    const names = readdirSync(join(home, 'backups'));

    const { actions } = await pruneBackups({
      home,
      keepLast: 0,
      now: new Date(daysAfter(manifest.createdAt, 9_000)),
    });

    const problems = new Map(actions.map(({ id: name, action, reason }) => [name, [action, reason]]));
    for (const [seq, , problem] of cases)
      expect(problems.get(place(seq))).toEqual(['refused', expect.stringMatching(problem)]);
    expect(actions.filter(({ action }) => action === 'refused')).toHaveLength(12);
    expect(readdirSync(join(home, 'backups')).filter((name) => !names.includes(name))).toEqual([
      `${report.id}.db.gz`,
      `${report.id}.db.gz.manifest.json`,
    ]);
    expect(existsSync(pathsOf(home, place(18)).file)).toBe(true);
  });
});
