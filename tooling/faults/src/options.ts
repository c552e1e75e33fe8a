import { parseArgs } from 'node:util';

import type { Share } from './suite.js';
import { seededBugs, type BugName } from './seeded-bugs.js';

export const usage = `usage: npm run faults -- <suite>... [options]

  <suite>           names of suites, "all", or "list"
  --share <share>   full: the whole sweep (default); ci: a sample that takes minutes
  --seed <n>        of every choice by chance (default 1)
  --workers <n>     cases at the same time (default 2)
  --only <name,...> these operations, kinds of them, or cases of a suite only
  --points <n>      at most so many points of each operation: kill, recover, power, errors; writes of a worker: writers
  --bug <name,...>  switch seeded bugs on: the suite must then find something
  --output <file>   also write the reports as JSON
  --write <file>    hostile: write the table of cases and verdicts as Markdown

example: npm run faults -- kill power --share ci
`;

export interface Options {
  readonly suites: readonly string[];
  readonly share: Share;
  readonly seed: number;
  readonly workers: number;
  readonly only: readonly string[];
  readonly points: number;
  readonly bugs: readonly BugName[];
  readonly output: string | undefined;
  readonly write: string | undefined;
}

/** The options on the command line. @throws Error that says what is wrong with them */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      share: { type: 'string', default: 'full' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      only: { type: 'string', default: '' },
      points: { type: 'string', default: '999999999' },
      bug: { type: 'string', default: '' },
      output: { type: 'string' },
      write: { type: 'string' },
    },
  });
  if (positionals.length === 0) throw new Error('name a suite');
  return {
    suites: positionals,
    share: parseShare(values.share),
    seed: parseCount('--seed', values.seed),
    workers: parseCount('--workers', values.workers),
    only: values.only.split(',').filter(Boolean),
    points: parseCount('--points', values.points),
    bugs: values.bug.split(',').filter(Boolean).map(parseBug),
    output: values.output,
    write: values.write,
  };
}

function parseShare(text: string): Share {
  if (text === 'ci' || text === 'full') return text;
  throw new Error(`--share is ci or full, not ${JSON.stringify(text)}`);
}

function parseBug(text: string): BugName {
  if (Object.hasOwn(seededBugs, text)) return text as BugName;
  throw new Error(`no seeded bug is called ${JSON.stringify(text)}: ${Object.keys(seededBugs).join(' ')}`);
}

function parseCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/u.test(text)) return Number(text);
  throw new Error(`${flag} is a whole number of at least 1, not ${JSON.stringify(text)}`);
}
