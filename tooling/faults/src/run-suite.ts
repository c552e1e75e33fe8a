import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { whyNot } from './capabilities.js';
import type { Suite, SuiteContext, SuiteReport } from './suite.js';

/** How one suite ended. */
export interface SuiteResult {
  readonly suite: string;
  /** Why it was not run; then there is no report. */
  readonly skipped?: string;
  readonly report?: SuiteReport;
  readonly durationMs: number;
}

/** Runs a suite in a directory of its own, or says why this machine cannot. */
export async function runSuite(suite: Suite, context: Omit<SuiteContext, 'directory'>): Promise<SuiteResult> {
  const started = performance.now();
  const skipped = suite.needs.map((need) => whyNot(need)).find((reason) => reason !== undefined);
  if (skipped !== undefined) return { suite: suite.name, skipped, durationMs: 0 };
  const directory = mkdtempSync(join(tmpdir(), `deespec-${suite.name}-`));
  try {
    const report = withDoubts(await suite.run({ ...context, directory }));
    return { suite: suite.name, report, durationMs: performance.now() - started };
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A suite that tried nothing, or whose faults mostly did not happen, has shown nothing: that is bad too. */
function withDoubts(report: SuiteReport): SuiteReport {
  const missed = Number(report.facts['not hit'] ?? 0);
  if (report.points > missed) return report;
  const what = `${report.points} faults happened and ${missed} did not: nothing is shown`;
  return { ...report, bad: [...report.bad, { point: 'the suite itself', what }] };
}

/** The result for people: one line of figures, then each bad point. */
export function renderResult({ suite, skipped, report, durationMs }: SuiteResult): string {
  if (report === undefined) return `${suite}: skipped: ${skipped}`;
  const facts = Object.entries(report.facts).map(([name, value]) => `, ${name} ${value}`);
  const seconds = (durationMs / 1000).toFixed(1);
  const head = `${suite}: ${report.points} points, ${report.bad.length} bad${facts.join('')} (${seconds} s)`;
  const listed = report.bad.slice(0, LISTED).map(({ point, what }) => `  BAD ${point}\n      ${what}`);
  const rest = report.bad.length - listed.length;
  return [head, ...listed, ...(rest > 0 ? [`  and ${rest} more`] : [])].join('\n');
}

const LISTED = 40;
