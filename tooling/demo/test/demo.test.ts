import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { findFailures, renderDemo, runDemo, type DemoResult } from '../src/index.js';

let directory: string;
let result: DemoResult;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'deespec-demo-test-'));
  result = runDemo({ directory, sbis: 8, onStep: () => undefined });
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true }));

describe('demo', () => {
  test('brings the sample tree back with the same digest', () => {
    expect(result.failures).toEqual([]);
    expect(result.after.digest).toBe(result.before.digest);
    expect(result.migrate.rows.sbi).toBeGreaterThan(8);
    expect(result.migrate.ignored).toHaveLength(2);
  });

  test('prints both digests, the equation, the rows and commands with real paths', () => {
    const text = renderDemo(result, '/repository');

    expect(text.match(new RegExp(result.before.digest, 'gu'))).toHaveLength(2);
    expect(text).toMatch(/scanned +[\d,]+ +[\d,]+\n += stored +[\d,]+ +[\d,]+\n +\+ ignored +2 +\d+/u);
    expect(text).toMatch(/tree_entry +[\d,]+/u);
    expect(text).toContain(`npx deespec status --home ${result.home}`);
  });

  test('fails when a digest, the equation or the verification does not hold', () => {
    const { equation } = result.migrate;
    const stored = { ...equation.stored, bytes: equation.stored.bytes - 1 };

    expect(findFailures({ ...result, after: { ...result.after, digest: 'other' } })).toHaveLength(1);
    expect(findFailures({ ...result, verify: { ...result.verify, differenceCount: 1 } })).toHaveLength(1);
    expect(
      findFailures({ ...result, migrate: { ...result.migrate, equation: { ...equation, stored } } }),
    ).toEqual(['scanned = stored + ignored, in bytes']);
  });
});
