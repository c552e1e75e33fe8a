import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DigestReport, ExportReport, MigrateReport, VerifyReport } from '@deespec/storage';
import { generateTree } from '@deespec/trees';

import { runDeespec } from './deespec.js';

/** What the demo found; every report comes from the real program. */
export interface DemoResult {
  /** The sample tree, and the database in it. */
  readonly home: string;
  /** The tree that came back out of the database. */
  readonly exported: string;
  readonly before: DigestReport;
  readonly migrate: MigrateReport;
  readonly verify: VerifyReport;
  readonly export: ExportReport;
  readonly after: DigestReport;
  /** Id of one SBI, to look at. */
  readonly sbiId: string;
  /** What does not hold; `[]` when all is well. */
  readonly failures: readonly string[];
}

export interface DemoOptions {
  /** Directory to work in; exists and is empty. */
  readonly directory: string;
  readonly sbis: number;
  /** Called before each step. */
  readonly onStep: (title: string) => void;
}

/**
 * Generates a sample tree, migrates, verifies and exports it, and compares the digests. Keeps everything it wrote.
 *
 * @throws Error when a command fails
 */
export function runDemo({ directory, sbis, onStep }: DemoOptions): DemoResult {
  const home = join(directory, '.deespec');
  const exported = join(directory, 'exported');
  onStep('generate a sample tree: both layouts, awkward content');
  generateTree(home, { layout: 'mixed', sbis, seed: 1, awkward: true });
  leaveTemporaryFiles(home);
  onStep('deespec digest');
  const before = runDeespec<DigestReport>('digest', home);
  onStep('deespec migrate');
  const migrate = runDeespec<MigrateReport>('migrate', '--home', home);
  onStep('deespec verify --check-all');
  const verify = runDeespec<VerifyReport>('verify', '--check-all', '--home', home);
  onStep('deespec export --format=files');
  const report = runDeespec<ExportReport>('export', '--format=files', '--output', exported, '--home', home);
  onStep('deespec digest, of the export');
  const after = runDeespec<DigestReport>('digest', exported);
  const result = { home, exported, before, migrate, verify, export: report, after, sbiId: firstSbi(home) };
  return { ...result, failures: findFailures(result) };
}

/** What an interrupted writer leaves behind: named by `migrate`, not stored, not deleted. */
function leaveTemporaryFiles(home: string): void {
  writeFileSync(join(home, 'var/.tmp-1804289383'), 'half a sta');
  writeFileSync(join(home, 'specs/draft.md.tmp'), '# Dra');
}

function firstSbi(home: string): string {
  const names = readdirSync(join(home, 'specs/sbi')).toSorted();
  const name = names.find((text) => /^SBI-[0-9A-Z]{26}/u.test(text));
  if (name === undefined) throw new Error(`no SBI in ${home}`);
  return name.slice(0, 'SBI-'.length + 26);
}

/** What does not hold. Separate from the commands' own verdicts, which could all be wrong in the same way. */
export function findFailures(result: Omit<DemoResult, 'failures'>): string[] {
  const { before, migrate, verify, after } = result;
  const { scanned, stored, ignored } = migrate.equation;
  const claims: readonly [claim: string, holds: boolean][] = [
    ['the digest of the export is the digest of the tree', after.digest === before.digest],
    ['the digest of the database is the digest of the tree', migrate.digest === before.digest],
    ['verify found no difference', verify.ok && verify.differenceCount === 0],
    ['scanned = stored + ignored, in entries', scanned.entries === stored.entries + ignored.entries],
    ['scanned = stored + ignored, in bytes', scanned.bytes === stored.bytes + ignored.bytes],
  ];
  return claims.filter(([, holds]) => !holds).map(([claim]) => claim);
}
