import { cpus, loadavg, totalmem } from 'node:os';

import prettyBytes from 'pretty-bytes';
import { table } from 'table';

import { memoryBudget, type Budget } from './cases.js';
import type { QuerySamples } from './queries.js';
import type { BenchmarkResult, CaseResult } from './run-benchmark.js';
import { median, percentile } from './statistics.js';
import { BARE } from './writes.js';

/** A figure against its budget; `-` where there is no budget. */
export type Verdict = 'goal' | 'must' | 'MISSED' | '-';

/** One line of the report. Times in milliseconds, memory in bytes. */
export interface CaseLine {
  readonly name: string;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly baseline: string;
  readonly baselineMs: number;
  /** Median over median. */
  readonly ratio: number;
  readonly budget?: Budget;
  readonly reached: Verdict;
  readonly peakBytes?: number;
  readonly memoryReached: Verdict;
}

/** One line of calls in process. Milliseconds. */
export interface CallLine {
  readonly name: string;
  readonly calls: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** One line of a query. */
export interface QueryLine extends CallLine {
  /** Median over the median of the bare statement. */
  readonly toBare?: number;
  readonly budget?: Budget;
  /** Of the 99th percentile. */
  readonly reached: Verdict;
}

/** What is written as JSON. */
export interface Report {
  readonly machine: {
    readonly cpu: string;
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly node: string;
  };
  /** Load of the machine over the last minute, at the end. */
  readonly load: number;
  readonly runs: number;
  readonly tree: BenchmarkResult['tree'];
  readonly cases: readonly CaseLine[];
  readonly queries: readonly QueryLine[];
  readonly writes: readonly WriteLine[];
}

/** One line of calls of the API. */
export interface WriteLine extends CallLine {
  /** Median over the median of the same call in mode `file`; absent for what is no call. */
  readonly toFiles: number | undefined;
  /** Median over the median of a bare durable transaction. */
  readonly toBare: number;
}

/** Condenses samples into figures. */
export function makeReport(result: BenchmarkResult): Report {
  const processors = cpus();
  return {
    machine: {
      cpu: processors[0]?.model ?? 'unknown',
      cpus: processors.length,
      memoryBytes: totalmem(),
      node: process.version,
    },
    load: loadavg()[0]!,
    runs: result.cases[0]?.samples.length ?? 0,
    tree: result.tree,
    cases: result.cases.map(caseLine),
    queries: result.queries.map(queryLine),
    writes: writeLines(result.writes.map(callLine)),
  };
}

function queryLine(query: QuerySamples): QueryLine {
  const { bare, budget } = query;
  const line = callLine(query);
  return {
    ...line,
    ...(bare === undefined ? {} : { toBare: line.p50Ms / median(bare) }),
    ...(budget === undefined ? {} : { budget }),
    reached: judge(line.p99Ms, budget),
  };
}

function callLine({ name, samples }: QuerySamples): CallLine {
  return {
    name,
    calls: samples.length,
    p50Ms: median(samples),
    p95Ms: percentile(samples, 0.95),
    p99Ms: percentile(samples, 0.99),
    maxMs: Math.max(...samples),
  };
}

function writeLines(lines: readonly CallLine[]): WriteLine[] {
  const p50 = new Map(lines.map(({ name, p50Ms }) => [name, p50Ms]));
  return lines.map((line) => {
    const inFiles = p50.get(line.name.replace(/^[^:]+/u, 'file'));
    return {
      ...line,
      toFiles: inFiles === undefined ? undefined : line.p50Ms / inFiles,
      toBare: line.p50Ms / p50.get(BARE)!,
    };
  });
}

/** `goal` or `must`, whichever is reached. */
export function judge(value: number | undefined, budget: Budget | undefined): Verdict {
  if (value === undefined || budget === undefined) return '-';
  if (value <= budget.goal) return 'goal';
  return value <= budget.must ? 'must' : 'MISSED';
}

function caseLine({ case: entry, samples, baseline }: CaseResult): CaseLine {
  const times = samples.map((sample) => sample.wallMs);
  const baselineMs = median(baseline.map((sample) => sample.wallMs));
  const peaks = samples.flatMap((sample) => sample.peakBytes ?? []);
  const ratio = median(times) / baselineMs;
  return {
    name: entry.name,
    medianMs: median(times),
    p95Ms: percentile(times, 0.95),
    baseline: entry.baseline,
    baselineMs,
    ratio,
    ...(entry.budget === undefined ? {} : { budget: entry.budget }),
    reached: judge(ratio, entry.budget),
    ...(peaks.length === 0 ? {} : { peakBytes: Math.max(...peaks) }),
    memoryReached: judge(peaks.length === 0 ? undefined : Math.max(...peaks), memoryBudget),
  };
}

/** The report for people. */
export function renderReport(report: Report): string {
  const { machine, tree } = report;
  const number = new Intl.NumberFormat('en');
  const counts = `${number.format(tree.sbis)} SBIs, ${number.format(tree.files)} files, ${number.format(tree.directories)} directories`;
  const rows = report.cases.map((line) => [
    line.name,
    milliseconds(line.medianMs),
    milliseconds(line.p95Ms),
    `${line.baseline} ${milliseconds(line.baselineMs)}`,
    `${line.ratio.toFixed(2)} x`,
    line.budget === undefined ? '-' : `${line.budget.must} x`,
    line.budget === undefined ? '-' : `${line.budget.goal} x`,
    line.reached,
    line.peakBytes === undefined ? '-' : prettyBytes(line.peakBytes, { binary: true }),
    line.memoryReached,
  ]);
  const head = [
    'command',
    'median',
    'p95',
    'baseline',
    'ratio',
    'must',
    'goal',
    'reached',
    'peak memory',
    'reached',
  ];
  const queries = report.queries.map((line) => [
    line.name,
    line.calls,
    ...percentiles(line),
    line.toBare === undefined ? '-' : `${line.toBare.toFixed(2)} x`,
    line.budget === undefined ? '-' : `${line.budget.must} ms`,
    line.reached,
  ]);
  const writes = report.writes.map((line) => [
    line.name,
    line.calls,
    ...percentiles(line),
    line.toFiles === undefined ? '-' : `${line.toFiles.toFixed(2)} x`,
    `${line.toBare.toFixed(2)} x`,
  ]);
  return [
    `${counts}, ${prettyBytes(tree.bytes)}; ${report.runs} interleaved rounds, warm cache`,
    `${machine.cpus} x ${machine.cpu}, ${prettyBytes(machine.memoryBytes, { binary: true })}, Node ${machine.node}, load ${report.load.toFixed(1)}`,
    '',
    table([head, ...rows]),
    table([
      ['query', 'calls', 'p50', 'p95', 'p99', 'most', 'to the bare statement', 'p99 must', 'reached'],
      ...queries,
    ]),
    table([
      ['call of the API', 'calls', 'p50', 'p95', 'p99', 'most', 'to mode file', 'to a bare transaction'],
      ...writes,
    ]),
    `Memory: must ${prettyBytes(memoryBudget.must, { binary: true })}, goal ${prettyBytes(memoryBudget.goal, { binary: true })}.\n`,
  ].join('\n');
}

function percentiles(line: CallLine): string[] {
  return [line.p50Ms, line.p95Ms, line.p99Ms, line.maxMs].map(milliseconds);
}

function milliseconds(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(3)} ms`;
}
