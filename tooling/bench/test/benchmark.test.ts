import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { makeReport, renderCurve, renderReport, runBenchmark, runCurve, type Report } from '../src/index.js';

let directory: string;
let report: Report;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'deespec-bench-test-'));
  report = makeReport(
    await runBenchmark({
      directory,
      sbis: 12,
      runs: 1,
      writes: 3,
      backupBytes: 1_000_000,
      items: 50,
      onStep: () => undefined,
    }),
  );
}, 180_000);

afterAll(() => rmSync(directory, { recursive: true }));

describe('benchmark', () => {
  test('measures every command against its baseline', () => {
    expect(report.cases.map((line) => [line.name, line.baseline])).toEqual([
      ['migrate', 'sha256sum'],
      ['migrate, unchanged tree', 'sha256sum'],
      ['verify --check-all', 'sha256sum'],
      ['export', 'cp -r'],
      ['status', 'node -e 0'],
      ['health', 'node -e 0'],
      ['sbi list, 100 rows', 'node -e 0'],
      ['sbi show', 'node -e 0'],
      ['backup create, durable copy', 'sqlite3 .backup'],
      ['backup create, verified', 'sqlite3 .backup'],
      ['restore, verified', 'cp'],
    ]);
    expect(report.cases.every((line) => line.ratio === line.medianMs / line.baselineMs)).toBe(true);
    const processes = report.cases.filter(({ name }) => name !== 'backup create, durable copy');
    expect(processes.every((line) => (line.peakBytes ?? 0) > 30e6)).toBe(true);
  });

  test('times a thousand calls of each query', () => {
    for (const { name, calls, reached } of report.queries.filter(({ budget }) => budget !== undefined)) {
      expect([name, calls]).toEqual([name, 1000]);
      expect(reached).not.toBe('-');
    }
    expect(report.queries.filter(({ toBare }) => toBare !== undefined)).toHaveLength(8);
    expect(report.queries.filter(({ name }) => name.startsWith('document: '))).toHaveLength(6);
    expect(report.queries.every((line) => line.p50Ms <= line.p95Ms && line.p95Ms <= line.p99Ms)).toBe(true);
  });

  test('times calls of the API in every mode against files alone and a bare transaction', () => {
    const names = report.writes.map(({ name }) => name);
    for (const mode of ['file', 'dual_write', 'sqlite'])
      expect(names).toContain(`${mode}: append an execution of 4 KiB`);
    expect(names).toContain('sqlite: set a priority, during a backup');
    expect(report.writes.find(({ name }) => name.startsWith('bare'))).toMatchObject({ toBare: 1 });
    expect(report.writes.find(({ name }) => name === 'file: create an SBI')).toMatchObject({ toFiles: 1 });
  });

  test('prints a line for each, with budgets and machine', () => {
    const text = renderReport(report);

    expect(text).toContain('12 SBIs');
    expect(text).toMatch(/│ 5 x +│ 3 x +│/u);
    expect(text).toContain('warm cache');
    for (const { name } of [...report.cases, ...report.queries, ...report.writes])
      expect(text).toContain(name);
  });
});

describe('curve', () => {
  test('times the commands over whole trees at each size, as a table and a chart', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'deespec-curve-test-'));
    const points = await runCurve({ directory: scratch, sizes: [3, 9], onStep: () => undefined });
    rmSync(scratch, { recursive: true });

    const commands = ['migrate', 'migrate, unchanged tree', 'verify --check-all', 'export'];
    expect(points.map(({ sbis, samples }) => [sbis, ...samples.keys()])).toEqual([
      [3, 'sha256sum', 'cp -r', ...commands],
      [9, 'sha256sum', 'cp -r', ...commands],
    ]);
    const text = renderCurve(points);
    for (const name of commands)
      expect(text).toMatch(new RegExp(`^\\| \`${name}\` \\|( \\d+\\.\\d s, \\d+ MiB \\|){2}$`, 'mu'));
    expect(text.match(/^ {2}line \[[\d.]+, [\d.]+\]$/gmu)).toHaveLength(4);
  }, 60_000);
});
