import { generateTree } from '@deespec/trees';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  appendFileSync,
  cpSync,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { digest, migrate, verify } from '../src/index.js';
import { listing, newHome, propertyRuns, put, removeDirectories } from './support.js';

afterAll(removeDirectories);

const { numRuns: wanted, ...seed } = propertyRuns();
const numRuns = Math.ceil(wanted / 3);

const actions = {
  remove: (path) => rmSync(path, { recursive: true }),
  touch: (path) => (isFile(path) ? appendFileSync(path, '') : undefined),
  append: (path) => (isFile(path) ? appendFileSync(path, 'more\n') : undefined),
  add: (path) => (lstatSync(path).isDirectory() ? put(path, 'added_1.md', 'x') : undefined),
  truncate: (path) => (isFile(path) ? truncateSync(path, Math.floor(lstatSync(path).size / 2)) : undefined),
  repeat: (path) => (isFile(path) ? appendFileSync(path, readFileSync(path)) : undefined),
  rename: (path) =>
    ifFree(path.endsWith('_x') ? path.slice(0, -2) : `${path}_x`, (to) => renameSync(path, to)),
  copy: (path) =>
    ifFree(`${path}_copy`, (to) => cpSync(path, to, { recursive: true, verbatimSymlinks: true })),
  file: (path) => (rmSync(path, { recursive: true }), writeFileSync(path, 'a file\n')),
  directory: (path) => (rmSync(path, { recursive: true }), put(path, 'implement_1.md', 'below\n')),
  symlink: (path) => (rmSync(path, { recursive: true }), symlinkSync('nowhere', path)),
  large: (path) => (isFile(path) ? writeFileSync(path, Buffer.alloc(1_048_577, 'x')) : undefined),
} satisfies Record<string, (path: string) => unknown>;

type Action = keyof typeof actions;

/** What happens to the tree between two runs: an action and which of the entries, mostly those that have a meaning, it meets. */
const stepArbitrary = fc.record({
  action: fc.constantFrom(...(Object.keys(actions) as Action[])),
  among: fc.constantFrom(
    /./u,
    /^specs\/sbi\/[^/]+$/u,
    /^specs\/sbi\/[^/]+\/[a-z]+_\d+\.md$/u,
    /(state|meta|setting|workflow)\.[a-z]+$/u,
    /^journal\/[^/]+\/[^/]+$/u,
    /journal\.ndjson$/u,
  ),
  which: fc.nat(),
});

function ifFree(path: string, work: (path: string) => void): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) work(path);
}

function isFile(path: string): boolean {
  return lstatSync(path).isFile();
}

function smallTree(): string {
  const home = newHome();
  generateTree(home, { layout: 'mixed', sbis: 6, seed: 3 });
  put(home, 'workflow.json', '{"name":"of layout A","extra":1}');
  return home;
}

function take(
  home: string,
  { action, among, which }: { action: Action; among: RegExp; which: number },
): void {
  const paths = listing(home, '%P\\0').filter((path) => path !== '' && among.test(path));
  const path = paths[which % paths.length];
  if (path !== undefined) actions[action](join(home, path));
}

describe('Any sequence of changes', () => {
  test(
    'is followed run by run: after each the database is that of a first run',
    async () => {
      const sequence = fc.array(fc.array(stepArbitrary, { minLength: 1, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      });
      const property = fc.asyncProperty(sequence, async (rounds) => {
        const home = smallTree();
        try {
          await migrate({ home, quarantine: true });
          for (const steps of rounds) {
            for (const step of steps) take(home, step);
            const report = await migrate({ home, quarantine: true });
            const { differences } = await verify({ home, checkAll: true });

            expect(differences).toEqual([]);
            expect(report.digest).toBe((await digest({ directory: home })).digest);
          }
        } finally {
          rmSync(dirname(home), { recursive: true, force: true });
        }
      });

      await fc.assert(property, { numRuns, ...seed });
    },
    numRuns * 5_000 + 30_000,
  );
});
