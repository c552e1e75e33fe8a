import { damageTree, generateTree } from '@deespec/trees';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { judgeJob } from './job-judge.js';
import type { Place } from './place.js';
import { runProduct, type ProductRun } from './product.js';
import type { BugName } from './seeded-bugs.js';
import type { Left } from './state.js';
import type { Call } from './trace.js';

/** A command line of the product, and the exit codes that it may end with when nothing disturbs it. */
export interface Command {
  readonly args: readonly string[];
  readonly exits: readonly number[];
}

/** What a look at a place came to. */
export interface Verdict {
  readonly wrong: readonly string[];
  /** Which state was found; absent where it does not show. */
  readonly left?: Left | undefined;
  /** True when a run that is to finish the work would find it finished. */
  readonly isOver?: boolean;
}

/** Tells whether runs of an operation leave what they may, by what its place held before. */
export interface Judge {
  /** Looks directly after a run that ended in whatever way. */
  ended(place: Place, run: ProductRun): Promise<Verdict>;
  /** Lets the product bring the place to an end, undisturbed, and looks again. */
  recovered(place: Place, bugs: readonly BugName[]): Promise<Verdict>;
}

/** A command of the product with the state it begins in. */
export interface Operation {
  readonly name: string;
  /** Operations of one kind differ in the mode that they begin in. */
  readonly kind: string;
  readonly args: (place: Place) => readonly string[];
  /** Its exit code when nothing disturbs it. */
  readonly exitCode: number;
  /** True when it writes into the tree and not only beside it. */
  readonly writesTree: boolean;
  /** True when everything that it changes in the tree is noted down before. */
  readonly isRecorded: boolean;
  /** Brings an empty place into the state before the command, with the product undisturbed. */
  prepare(place: Place): Promise<void>;
  /** The commands that bring to an end what was cut off, in order. */
  recovery(place: Place): readonly Command[];
  /** @param place - the state before the command; it must stay as it is */
  watch(place: Place): Judge;
  /** Leaves out calls of which others stand for all; absent: none. */
  thin?(calls: readonly Call[]): readonly Call[];
}

/** An operation of the main job: it makes something beside the tree, which it never changes. */
export interface JobOperation extends Operation {
  /** What it makes: then that is the old state, absent or as before, until the new one is there. */
  readonly makes: 'database' | 'export' | 'evidence';
}

type Job = Pick<JobOperation, 'name' | 'args' | 'exitCode' | 'makes' | 'prepare'>;

const jobs: readonly Job[] = [
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

/** The operations of the main job. */
export const operations: readonly JobOperation[] = jobs.map((job) => {
  const operation: JobOperation = {
    ...job,
    kind: job.name,
    writesTree: false,
    isRecorded: false,
    recovery: (place) => [{ args: job.args(place), exits: [job.exitCode] }],
    watch: (place) => judgeJob(operation, place),
  };
  return operation;
});

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

/** A tree with its database, in mode `file`. */
export async function makeDatabase(place: Place): Promise<void> {
  makeTree(place);
  await mustSucceed(place, ['migrate', '--home', place.home]);
}

/** One file changed, one new, one gone. */
function changeTree({ home }: Place): void {
  appendFileSync(join(home, 'knowledge/page.bin'), 'and more');
  writeFileSync(join(home, 'knowledge/new.md'), '# New\n');
  rmSync(join(home, 'knowledge/pages.bin'));
}

/** Runs a command of the product that nothing disturbs. @throws Error when it does not exit with `exitCode` */
export async function mustSucceed(place: Place, args: readonly string[], exitCode = 0): Promise<void> {
  const run = await runProduct({ args, timeoutMs: 120_000 });
  if (run.exitCode === exitCode) return;
  throw new Error(`deespec ${args.join(' ')} in ${place.directory}: exit ${run.exitCode}\n${run.stderr}`);
}
