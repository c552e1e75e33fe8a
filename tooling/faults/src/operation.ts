import { damageTree, generateTree } from '@deespec/trees';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Place } from './place.js';
import { runProduct } from './product.js';

/** A command of the product with the state it begins in. */
export interface Operation {
  readonly name: string;
  readonly args: (place: Place) => readonly string[];
  /** Its exit code when nothing disturbs it. */
  readonly exitCode: number;
  /** What it makes: then that is the old state, absent or as before, until the new one is there. */
  readonly makes: 'database' | 'export' | 'evidence';
  /** Brings an empty place into the state before the command, with the product undisturbed. */
  prepare(place: Place): Promise<void>;
}

/** The operations of the main job. */
export const operations: readonly Operation[] = [
  {
    name: 'migrate',
    args: ({ home }) => ['migrate', '--home', home],
    exitCode: 0,
    makes: 'database',
    prepare: async (place) => makeTree(place),
  },
  {
    name: 're-run',
    args: ({ home }) => ['migrate', '--home', home],
    exitCode: 0,
    makes: 'database',
    prepare: async (place) => {
      await makeDatabase(place);
      changeTree(place);
    },
  },
  {
    name: 'quarantine',
    args: ({ home }) => ['migrate', '--quarantine', '--home', home],
    exitCode: 3,
    makes: 'database',
    prepare: async (place) => {
      makeTree(place);
      damageTree(place.home, 'bad-id');
      damageTree(place.home, 'torn-state');
    },
  },
  {
    name: 'export',
    args: ({ home, output }) => ['export', '--format=files', '--output', output, '--home', home],
    exitCode: 0,
    makes: 'export',
    prepare: makeDatabase,
  },
  {
    name: 'verify',
    args: ({ home }) => ['verify', '--check-all', '--home', home],
    exitCode: 0,
    makes: 'evidence',
    prepare: makeDatabase,
  },
];

/** The operations that are asked for; all when none is. */
export function chooseOperations(only: readonly string[]): readonly Operation[] {
  return operations.filter(({ name }) => only.length === 0 || only.includes(name));
}

/** A small tree of both layouts, with contents that need overflow pages, a link, and an empty directory. */
export function makeTree({ home }: Place): void {
  generateTree(home, { layout: 'mixed', sbis: 3, seed: 1 });
  mkdirSync(join(home, 'knowledge/empty'), { recursive: true });
  // Of one page and some: SQLite's own check does not see what stands on a content's last page.
  const names = ['page.bin', 'page-2.bin', 'page-3.bin', 'page-4.bin', 'page-5.bin', 'pages.bin'];
  for (const name of names) {
    const bytes = name === 'pages.bin' ? 21_000 : 6_000;
    const content = Buffer.alloc(bytes, `${name} with bytes that are no zeros. `);
    writeFileSync(join(home, 'knowledge', name), content);
  }
}

async function makeDatabase(place: Place): Promise<void> {
  makeTree(place);
  await mustSucceed(place, ['migrate', '--home', place.home]);
}

/** One file changed, one new, one gone. */
function changeTree({ home }: Place): void {
  appendFileSync(join(home, 'knowledge/page.bin'), 'and more');
  writeFileSync(join(home, 'knowledge/new.md'), '# New\n');
  rmSync(join(home, 'knowledge/pages.bin'));
}

/** Runs a command of the product that nothing disturbs. @throws Error when it does not exit with 0 */
export async function mustSucceed(place: Place, args: readonly string[]): Promise<void> {
  const run = await runProduct({ args, timeoutMs: 120_000 });
  if (run.exitCode === 0) return;
  throw new Error(`deespec ${args.join(' ')} in ${place.directory}: exit ${run.exitCode}\n${run.stderr}`);
}
