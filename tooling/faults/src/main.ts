import { writeFileSync } from 'node:fs';

import { parseOptions, usage, type Options } from './options.js';
import { renderResult, runSuite, type SuiteResult } from './run-suite.js';
import type { Suite } from './suite.js';
import { suites } from './suites/index.js';

/** The program: 0 when nothing was bad, 1 when something was, 64 for a usage error. */
async function main(): Promise<number> {
  let options: Options;
  let chosen: readonly Suite[];
  try {
    options = parseOptions(process.argv.slice(2));
    chosen = chooseSuites(options.suites);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 64;
  }
  const { share, seed, workers, only, points, bugs } = options;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const results: SuiteResult[] = [];
  for (const suite of chosen) {
    say(`${suite.name}: ${suite.about} (share ${share}, seed ${seed})`);
    const result = await runSuite(suite, { share, seed, workers, only, points, bugs, enough: Infinity, say });
    process.stdout.write(`${renderResult(result)}\n`);
    results.push(result);
  }
  if (options.output !== undefined) writeFileSync(options.output, `${JSON.stringify(results, null, 2)}\n`);
  if (options.write !== undefined) writePage(options.write, results);
  return summarize(results);
}

/** Only one suite has a page, and only after its full sweep. */
function writePage(file: string, results: readonly SuiteResult[]): void {
  const page = results.find(({ report }) => report?.page !== undefined)?.report?.page;
  if (page === undefined) process.stderr.write(`${file} is not written: no suite gave a page\n`);
  else writeFileSync(file, page);
}

function chooseSuites(names: readonly string[]): readonly Suite[] {
  if (names.includes('all')) return suites;
  return names.map((name) => {
    const found = suites.find((suite) => suite.name === name);
    if (found !== undefined) return found;
    const known = suites.map((suite) => `  ${suite.name.padEnd(12)} ${suite.about}`).join('\n');
    throw new Error(name === 'list' ? `suites:\n${known}` : `no suite is called ${name}:\n${known}`);
  });
}

/** The closing line: points that held, points that did not, suites that this machine could not run. */
function summarize(results: readonly SuiteResult[]): number {
  const points = results.reduce((sum, { report }) => sum + (report?.points ?? 0), 0);
  const bad = results.reduce((sum, { report }) => sum + (report?.bad.length ?? 0), 0);
  const skipped = results.filter(({ report }) => report === undefined).length;
  process.stdout.write(
    `${Math.max(0, points - bad)} passed, ${bad} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
  );
  return bad > 0 ? 1 : 0;
}

// So that the handlers of `exit` run, which kill what was started.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
process.exitCode = await main();
