import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isSbiId, parseTime, sbiIdTimeMs, sbiStatuses, type SbiId } from '@deespec/domain';
import { describe, expect, test } from '@jest/globals';

import { awkwardContents, awkwardNames, generateTree, type TreeOptions } from '../src/index.js';
import { hashTree, readTree, withDirectory, type DiskEntry } from './support.js';

const everything: TreeOptions = {
  layout: 'mixed',
  sbis: 40,
  seed: 7,
  awkward: true,
  attachments: { count: 2, bytes: 1_500_000 },
};

function generate(options: TreeOptions): DiskEntry[] {
  return withDirectory((directory) => {
    generateTree(directory, options);
    return readTree(directory);
  });
}

function contentsAt(entries: readonly DiskEntry[], pattern: RegExp): string[] {
  return entries.filter((e) => e.kind === 'f' && pattern.test(e.name)).map((e) => e.content.toString());
}

describe('generateTree', () => {
  test('gives the same names, bytes, modes and times for the same seed, and others for another', () => {
    const hashes = [7, 7, 8].map((seed) =>
      withDirectory((directory) => {
        generateTree(directory, { ...everything, seed });
        return hashTree(directory);
      }),
    );

    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  test.each(['A', 'B', 'mixed'] as const)('counts what is on disk in layout %s', (layout) => {
    withDirectory((directory) => {
      const summary = generateTree(directory, { ...everything, layout });

      const entries = readTree(directory);
      const sbis = new Set(entries.flatMap((e) => /^specs\/sbi\/[^/]+/u.exec(e.name)?.[0] ?? []));
      expect(summary).toMatchObject({
        files: entries.filter((e) => e.kind === 'f').length,
        directories: entries.filter((e) => e.kind === 'd').length,
        symlinks: entries.filter((e) => e.kind === 'l').length,
        bytes: entries.reduce((sum, e) => sum + e.content.length, 0),
        sbis: sbis.size,
      });
    });
  });

  test('has 5.6 files of 3 KB per SBI, in every layout', () => {
    for (const layout of ['A', 'B', 'mixed'] as const) {
      const files = generate({ layout, sbis: 400, seed: 1 }).filter((e) => e.kind === 'f');
      const bytes = files.reduce((sum, e) => sum + e.content.length, 0);

      expect(files.length / 400).toBeGreaterThan(4.8);
      expect(files.length / 400).toBeLessThan(6.6);
      expect(bytes / files.length).toBeGreaterThan(2400);
      expect(bytes / files.length).toBeLessThan(3900);
    }
  });

  test('gives every SBI an id whose time lies in the past', () => {
    const entries = generate(everything);

    const ids = entries.flatMap((e) => /^specs\/sbi\/(SBI-[^/_]+)[^/]*$/u.exec(e.name)?.[1] ?? []);

    expect(ids.every(isSbiId)).toBe(true);
    expect(new Set(ids).size).toBe(40 + awkwardContents().length);
    expect(ids.every((id) => sbiIdTimeMs(id as SbiId)! > 1_704_000_000_000)).toBe(true);
    expect(ids.every((id) => sbiIdTimeMs(id as SbiId)! < 1_710_000_000_000)).toBe(true);
  });

  test('writes states of layout A that parse, in three styles, and agree with the files beside them', () => {
    const entries = generate({ layout: 'A', sbis: 60, seed: 3 });
    const names = new Set(entries.map((e) => e.name));
    const states = entries.filter((e) => e.name.endsWith('/state.json'));

    const styles = new Set<string>();
    for (const { name, content } of states) {
      const state = JSON.parse(content.toString()) as Record<string, unknown>;
      expect(sbiStatuses).toContain(state['status']);
      expect(parseTime(state['created_at'] as string)).toBeDefined();
      expect(name).toBe(`specs/sbi/${String(state['id'])}/state.json`);
      const artifact = name.replace('state.json', `${String(state['current'])}_${String(state['turn'])}.md`);
      expect(state['turn'] === 0 || names.has(artifact)).toBe(true);
      styles.add(`${content.includes('\n')} ${content.at(-1) === 0x0a} ${content.includes('\\u003c')}`);
    }
    expect(styles).toEqual(new Set(['true false true', 'true true false', 'false false false']));
  });

  test('writes journal transactions of layout A that name a file of the tree', () => {
    const entries = generate({ layout: 'A', sbis: 200, seed: 3 });
    const names = new Set(entries.map((e) => e.name));

    const manifests = contentsAt(entries, /^journal\/\d{4}-\d\d-\d\d\/[0-9A-Z]{26}\/manifest\.json$/u);

    expect(manifests.length).toBeGreaterThan(5);
    for (const text of manifests) {
      const manifest = JSON.parse(text) as { files: { destination: string }[] };
      expect(names).toContain(manifest.files[0]!.destination);
    }
    expect(entries.filter((e) => e.name.endsWith('/undo'))).toHaveLength(manifests.length);
  });

  test('writes a journal of layout B with several runs, whose last lines name files of the tree', () => {
    const entries = generate({ layout: 'B', sbis: 120, seed: 5 });
    const names = new Set(entries.map((e) => `.deespec/${e.name}`));
    const [journal] = contentsAt(entries, /^var\/journal\.ndjson$/u);
    const lines = journal!
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

    const picks = lines
      .filter((line) => line.artifacts[0].type === 'pick')
      .map((line) => line.artifacts[0].id);
    const done = lines.filter((line) => line.status === 'DONE');

    expect(lines.every((line) => parseTime(line.ts) !== undefined)).toBe(true);
    expect(picks.length).toBeGreaterThan(new Set(picks).size);
    expect(done.length).toBeGreaterThan(5);
    expect(done.every((line) => names.has(Buffer.from(line.artifacts[0]).toString('latin1')))).toBe(true);
    const state = JSON.parse(contentsAt(entries, /^var\/state\.json$/u)[0]!);
    expect(picks.at(-1)).toBe(state.wip);
    expect(Date.parse(state.lease_expires_at)).toBeLessThan(1_710_000_000_000);
  });

  test('gives files several modes and times with microseconds, and leaves directories empty', () => {
    const entries = generate({ layout: 'mixed', sbis: 100, seed: 9 });

    const modes = new Set(entries.filter((e) => e.kind === 'f').map((e) => e.mode));
    const parents = new Set(entries.map((e) => e.name.slice(0, e.name.lastIndexOf('/'))));

    expect(modes).toEqual(new Set([0o644, 0o600, 0o444, 0o755]));
    expect(entries.filter((e) => (e.mtimeNs / 1000n) % 1000n !== 0n).length).toBeGreaterThan(
      entries.length / 2,
    );
    expect(entries.some((e) => e.kind === 'd' && !parents.has(e.name))).toBe(true);
  });

  test('writes attachments of the asked size that differ from each other', () => {
    const entries = generate({ ...everything, sbis: 0, awkward: false });

    const attachments = entries.filter((e) => e.name.includes('attachment_'));

    expect(attachments.map((e) => e.content.length)).toEqual([1_500_000, 1_500_000]);
    expect(attachments[0]!.content.equals(attachments[1]!.content)).toBe(false);
  });

  test('refuses a directory that holds anything', () => {
    withDirectory((directory) => {
      mkdirSync(directory);
      writeFileSync(join(directory, 'mine'), 'x');

      expect(() => generateTree(directory, everything)).toThrow('not empty');
    });
  });
});

describe('awkward trees', () => {
  test.each(['A', 'B', 'mixed'] as const)(
    'hold every content as spec, step and attachment in layout %s',
    (layout) => {
      const entries = generate({ layout, sbis: 2, seed: 2, awkward: true });

      for (const { bytes } of awkwardContents()) {
        const found = entries.filter((e) => e.kind === 'f' && e.content.equals(bytes)).map((e) => e.name);
        expect(found).toContainEqual(expect.stringMatching(/\/spec\.md$/u));
        expect(found).toContainEqual(expect.stringMatching(/\/implement_\d\.md$/u));
        expect(found).toContainEqual(expect.stringMatching(/\/attachments\/content\.bin$/u));
      }
    },
  );

  test('hold every name, link, mode and hard link', () => {
    withDirectory((directory) => {
      generateTree(directory, { layout: 'B', sbis: 2, seed: 2, awkward: true });
      const entries = readTree(directory);

      const names = new Set(entries.map((e) => e.name.slice(e.name.indexOf('/attachments/') + 13)));
      const shared = entries.find((e) => e.name.endsWith('shared.bin'))!;

      expect(awkwardNames().filter((name) => !names.has(name.toString('latin1')))).toEqual([]);
      expect(entries.filter((e) => e.kind === 'l').map((e) => e.content.toString('latin1'))).toEqual(
        expect.arrayContaining(['nowhere/at/all', '/nonexistent/absolute', 'loop-a', 'loop-b', 'self', '..']),
      );
      expect(new Set(entries.map((e) => e.mode))).toEqual(
        expect.objectContaining(new Set([0o400, 0o4755, 0o2755, 0o1777, 0o555])),
      );
      expect(lstatSync(join(directory, shared.name)).nlink).toBe(2);
    });
  });

  test('stay valid: no file of zeros alone, no symlink at an interpreted name, states that parse', () => {
    const entries = generate({ layout: 'mixed', sbis: 4, seed: 2, awkward: true });
    const interpreted = /\/(spec\.md|state\.json|meta\.ya?ml|\w+_\d+\.md|journal\.ndjson)$/u;

    const zeros = entries.filter((e) => e.content.length > 0 && e.content.every((byte) => byte === 0));
    const links = entries.filter((e) => e.kind === 'l' && interpreted.test(e.name));
    const states = contentsAt(entries, /state\.json$/u);

    expect(zeros).toEqual([]);
    expect(links).toEqual([]);
    expect(states.every((text) => Object.hasOwn(JSON.parse(text), 'status'))).toBe(true);
    expect(states.some((text) => text.includes('9007199254740993') && text.includes('__proto__'))).toBe(true);
  });
});
