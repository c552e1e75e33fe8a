import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compareRatios, keptResults, readKept, resultsFile, type KeptResults } from './compare.js';
import { renderCurve, runCurve } from './curve.js';
import { parseOptions, usage, type Options } from './options.js';
import { renderComparison } from './render-comparison.js';
import { makeReport, renderReport } from './report.js';
import { runBenchmark } from './run-benchmark.js';
import { requireSpace } from './space.js';

/** Calls of each kind in each mode. */
const WRITES = 100;

/**
 * The program: 0 when everything was measured, whatever the figures are; 1 when a command failed; 2 when a ratio grew too much and
 * `--check` asks for that; 64 for a usage error; 130 when interrupted.
 */
async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 64;
  }
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort()).once('SIGTERM', () => interrupt.abort());
  const directory = mkdtempSync(join(tmpdir(), 'deespec-bench-'));
  try {
    requireSpace(directory, options);
    const onStep = (title: string): void => void process.stderr.write(`${title}\n`);
    if (options.curve !== undefined) {
      const sizes = options.curve;
      process.stdout.write(
        renderCurve(await runCurve({ directory, sizes, onStep, signal: interrupt.signal })),
      );
      return 0;
    }
    const report = makeReport(
      await runBenchmark({ directory, ...options, writes: WRITES, onStep, signal: interrupt.signal }),
    );
    process.stdout.write(renderReport(report));
    if (options.output !== undefined) writeFileSync(options.output, `${JSON.stringify(report, null, 2)}\n`);
    return compareWithKept(keptResults(report, options.backupBytes), options);
  } catch (error) {
    if (interrupt.signal.aborted) return 130;
    process.stderr.write(`The benchmark failed: ${(error as Error).message}\n`);
    return 1;
  } finally {
    if (options.keep) process.stderr.write(`kept ${directory}\n`);
    else rmSync(directory, { recursive: true, maxRetries: 10 });
  }
}

/** @returns the exit code */
function compareWithKept(now: KeptResults, { save, check }: Options): number {
  const before = readKept(resultsFile);
  const compared = before === undefined ? undefined : compareRatios(before, now);
  process.stdout.write(renderComparison(compared));
  if (save) writeFileSync(resultsFile, `${JSON.stringify(now, null, 2)}\n`);
  return check && compared?.some(({ isRegression }) => isRegression) === true ? 2 : 0;
}

process.exitCode = await main();
