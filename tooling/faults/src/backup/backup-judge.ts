import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { takeSnapshot } from '../dual/tree-snapshot.js';
import type { Judge, Operation, Verdict } from '../operation.js';
import { copyPlace, isCanaryAlive, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { residue } from '../state.js';
import { backupResidue, databaseDigest, namesIn, soundBackups, treeDigest } from './backup-looks.js';

interface Expected {
  /** Hash by path of the tree without its backups. */
  readonly contents: string;
  readonly tree: string | undefined;
  readonly database: string | undefined;
  /** Verified backups, oldest first. */
  readonly sound: readonly string[];
  /** Names of backups that an undisturbed run leaves. */
  readonly names: string;
}

/**
 * Judges what makes or removes backups. Directly after whatever happened both stores hold what they held, and the newest verified
 * backup is listed and whole. When the same command has run again, no half of a backup is left and every backup that is there verifies.
 */
export class BackupJudge implements Judge {
  private known: Promise<Expected> | undefined;

  constructor(
    private readonly operation: Operation,
    private readonly place: Place,
  ) {}

  async ended(place: Place): Promise<Verdict> {
    const { sound } = await this.expected();
    const wrong = isCanaryAlive(place) ? [] : ['something was written beside the tree'];
    wrong.push(...(await this.wrongStores(place)), ...(await this.wrongNewest(place)));
    if (this.operation.kind !== 'backup') return { wrong };
    const isMade = [...soundBackups(place).keys()].some((id) => !sound.includes(id));
    return { wrong, left: isMade ? 'new' : 'old' };
  }

  async recovered(place: Place, bugs: readonly BugName[]): Promise<Verdict> {
    const expected = await this.expected();
    const again = await runProduct({ args: this.operation.args(place), bugs, timeoutMs: 120_000 });
    const wrong = misbehaviour(again);
    if (again.exitCode !== this.operation.exitCode) wrong.push(endingOf(again));
    wrong.push(...(await this.wrongStores(place)), ...(await this.wrongNewest(place)));
    if ((await treeDigest(place)) !== expected.tree) wrong.push('the digest of the tree is another one');
    const names = namesIn(join(place.home, 'backups')).join(' ');
    if (this.operation.kind === 'prune' && names !== expected.names)
      wrong.push(`the backups are ${names}, not ${expected.names}`);
    const [newest, digest] = [...soundBackups(place)].at(-1) ?? [];
    const verified = await this.ask(place, ['backup', 'verify', String(newest)], bugs);
    if (verified.exitCode !== 0) wrong.push(`backup verify ${newest}: ${endingOf(verified)}`);
    if (this.operation.kind === 'backup' && digest !== expected.tree)
      wrong.push('the newest backup holds another tree');
    const left = [...residue(place), ...backupResidue(place)];
    return { wrong: [...wrong, ...left.map((name) => `left behind: ${name}`)] };
  }

  private async wrongStores(place: Place): Promise<string[]> {
    const { contents, database } = await this.expected();
    const wrong = contentsOf(place) === contents ? [] : ['the files changed'];
    return (await databaseDigest(place)) === database ? wrong : [...wrong, 'the database changed'];
  }

  /** The newest verified backup there was, by the product's list and by its own bytes. */
  private async wrongNewest(place: Place): Promise<string[]> {
    const newest = (await this.expected()).sound.at(-1)!;
    const listed = await this.ask(place, ['backup', 'list'], []);
    const backups = (listed.document?.data?.['backups'] ?? []) as readonly { id: string; state: string }[];
    const isListed = backups.some(({ id, state }) => id === newest && state === 'verified');
    const wrong = misbehaviour(listed);
    if (!isListed) wrong.push(`${newest}, the newest that was verified, is not listed any more`);
    return soundBackups(place).has(newest) ? wrong : [...wrong, `${newest} is not sound any more`];
  }

  private ask(place: Place, words: readonly string[], bugs: readonly BugName[]): Promise<ProductRun> {
    return runProduct({ args: [...words, '--home', place.home], bugs });
  }

  private expected(): Promise<Expected> {
    return (this.known ??= this.look());
  }

  private async look(): Promise<Expected> {
    const { place } = this;
    const copy = copyPlace(place, `${place.directory}-expected`);
    try {
      const run = await runProduct({ args: this.operation.args(copy), timeoutMs: 120_000 });
      if (run.exitCode !== this.operation.exitCode) throw new Error(endingOf(run));
      return {
        contents: contentsOf(place),
        tree: await treeDigest(place),
        database: await databaseDigest(place),
        sound: [...soundBackups(place).keys()],
        names: namesIn(join(copy.home, 'backups')).join(' '),
      };
    } finally {
      rmSync(copy.directory, { recursive: true, force: true });
    }
  }
}

function contentsOf({ home }: Place): string {
  const entries = [...takeSnapshot(home)].filter(([path]) => !/^backups(?:\/|$)/u.test(path));
  return JSON.stringify(entries.map(([path, { kind, mode, sha256 }]) => [path, kind, mode, sha256]));
}
