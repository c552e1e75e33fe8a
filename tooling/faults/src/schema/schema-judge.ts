import {
  compareTables,
  keptColumns,
  latestEvidence,
  openHandle,
  readTables,
  recordDigest,
  requireSchema,
  type TableRows,
} from '@deespec/sqlite-adapter';
import { digestTree } from '@deespec/verifier';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Judge, Operation, Verdict } from '../operation.js';
import { isCanaryAlive, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { residue, withCopy } from '../state.js';
import { newest } from './schema-place.js';

type Handle = ReturnType<typeof openHandle>;
type Tables = ReadonlyMap<string, TableRows>;

/** A change of schema. */
export interface VersionStep {
  readonly from: number;
  readonly to: number;
}

interface Before {
  readonly tree: string;
  readonly tables: Tables;
  readonly digest: string | undefined;
}

/**
 * Judges a change of schema: the database is at one of the versions, whole, with every row that must survive and with evidence that is
 * true; tree and digest are what they were; each backup is a whole database of the version before.
 */
export class SchemaJudge implements Judge {
  private known: Promise<Before> | undefined;

  constructor(
    private readonly operation: Operation,
    private readonly place: Place,
    private readonly step: VersionStep,
  ) {}

  async ended(place: Place, run: ProductRun): Promise<Verdict> {
    const { version, wrong } = await this.look(place);
    const isDone = run.document?.exitCode === this.operation.exitCode;
    if (isDone && version !== this.step.to) wrong.push(`success was reported, and the version is ${version}`);
    if (version === this.step.from) return { wrong, left: 'old' };
    return { wrong, left: version === this.step.to ? 'new' : undefined };
  }

  async recovered(place: Place, bugs: readonly BugName[]): Promise<Verdict> {
    const again = await runProduct({ args: this.operation.args(place), bugs });
    const wrong = misbehaviour(again);
    if (again.exitCode !== this.operation.exitCode) wrong.push(endingOf(again));
    const found = await this.look(place);
    wrong.push(...found.wrong);
    if (found.version !== this.step.to) wrong.push(`the version is ${found.version}`);
    wrong.push(...residue(place).map((name) => `left behind: ${name}`));
    if (this.step.to !== newest) return { wrong };
    const verified = await runProduct({ args: ['verify', '--check-all', '--home', place.home], bugs });
    if (verified.exitCode !== 0) wrong.push(`verify: ${endingOf(verified)}`);
    return { wrong };
  }

  private async look(place: Place): Promise<{ version: number | undefined; wrong: string[] }> {
    const before = await (this.known ??= this.before());
    const wrong = isCanaryAlive(place) ? [] : ['something was written beside the tree'];
    if ((await digestTree(place.home)).digest !== before.tree) wrong.push('the tree changed');
    const [lowest, highest] = [this.step.from, this.step.to].sort((a, b) => a - b) as [number, number];
    const version = await withCopy(place, async (copy) => {
      const found = lookInto(copy, before, this.step);
      wrong.push(...found.wrong);
      return found.version;
    });
    if (version !== undefined && (version < lowest || version > highest)) wrong.push(`version ${version}`);
    return { version, wrong: [...wrong, ...this.wrongBackups(place, before)] };
  }

  private async before(): Promise<Before> {
    const { digest: tree } = await digestTree(this.place.home);
    return withCopy(this.place, async (copy) => {
      const handle = openHandle(copy, 'write');
      try {
        const tables = readTables(handle, keptColumns(this.step));
        return { tree, tables, digest: latestEvidence(handle, 'migrate')?.digest };
      } finally {
        handle.close();
      }
    });
  }

  /** Backups are looked at on copies, too. */
  private wrongBackups(place: Place, before: Before): string[] {
    const backups = join(place.home, '.storage/copies');
    if (!existsSync(backups)) return [];
    const directory = `${place.directory}-backup`;
    mkdirSync(directory, { recursive: true });
    try {
      return readdirSync(backups).flatMap((name) => {
        const copy = join(directory, name);
        copyFileSync(join(backups, name), copy);
        const { wrong, version } = lookInto(copy, before, this.step);
        const isNamed = name.endsWith(`-version-${version}.db`);
        return [...wrong, ...(isNamed ? [] : ['has another version'])].map(
          (what) => `backup ${name}: ${what}`,
        );
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

/** The version of a database, and what is wrong with it. */
function lookInto(
  file: string,
  before: Before,
  step: VersionStep,
): { version: number | undefined; wrong: string[] } {
  const handle = openHandle(file, 'write');
  try {
    const version = requireSchema(handle, { older: 'allowed' });
    const tables = readTables(handle, keptColumns(step));
    const wrong = compareTables(before.tables, tables).map((table) => `other rows in ${table}`);
    return { version, wrong: [...wrong, ...wrongRecords(handle, version), ...wrongEvidence(handle, before)] };
  } catch (error) {
    return { version: undefined, wrong: [`at no version: ${(error as Error).message}`] };
  } finally {
    handle.close();
  }
}

function wrongRecords(handle: Handle, version: number): string[] {
  const versions = handle
    .prepare('SELECT version FROM schema_version ORDER BY version')
    .pluck()
    .all() as number[];
  const wrong =
    versions.join() === Array.from({ length: version }, (_, i) => i + 1).join()
      ? []
      : [`records of versions ${versions.join()} at version ${version}`];
  const check = handle.pragma('integrity_check(1)', { simple: true });
  return check === 'ok' ? wrong : [...wrong, String(check)];
}

function wrongEvidence(handle: Handle, before: Before): string[] {
  const evidence = latestEvidence(handle, 'migrate');
  if (evidence?.digest !== before.digest) return ['the evidence has another digest'];
  return evidence?.record === recordDigest(handle) ? [] : ['the evidence is not true of the rows'];
}
