export { measure, watchMemory } from './measure.js';
export type { Command, Sample } from './measure.js';
export { parseOptions } from './options.js';
export type { Options } from './options.js';
export { judge, makeReport, renderReport } from './report.js';
export type { CaseLine, QueryLine, Report, Verdict } from './report.js';
export { runBenchmark } from './run-benchmark.js';
export type { BenchmarkOptions, BenchmarkResult, CaseResult } from './run-benchmark.js';
export { median, percentile } from './statistics.js';
