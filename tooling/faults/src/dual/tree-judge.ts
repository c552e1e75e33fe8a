import { checkIndex, expectedSchema, openHandle } from '@deespec/sqlite-adapter';
import { sync } from '@deespec/storage';
import { verifyTree } from '@deespec/verifier';
import { rmSync } from 'node:fs';

import type { Judge, Operation, Verdict } from '../operation.js';
import { copyPlace, isCanaryAlive, type Place } from '../place.js';
import { endingOf, misbehaviour, runProduct, type ProductRun } from '../product.js';
import type { BugName } from '../seeded-bugs.js';
import { residue, withCopy, type Left } from '../state.js';
import {
  isEmptyLock,
  isLike,
  isPassing,
  pathsOf,
  textLike,
  type Snapshot,
  type SnapshotEntry,
} from './tree-snapshot.js';
import { lookAtAudit, lookAtTree, type TreeState } from './tree-state.js';

/** An operation that writes into the tree. */
export interface TreeOperation extends Operation {
  /** False where the run that recovers does the work itself, so that a crash cannot end in the old state. */
  readonly canBeUndone: boolean;
}

/** A state in which a recovered place may be. */
interface End {
  readonly state: TreeState;
  readonly records: string;
}

/** The states that an operation may leave; `before` and `made` without a recovery. */
interface Expected {
  readonly before: TreeState;
  readonly made: TreeState;
  readonly old: End;
  readonly new: End;
}

/**
 * Judges an operation that writes into the tree by what undisturbed runs leave. Contents are compared without times and ids.
 *
 * - Directly after whatever happened each file is as before or as after, and each difference between the stores is owed.
 * - When the commands that recover have run, all of the change is there or nothing of it, in both stores, with its one audit
 *   record; nothing else changed, no byte string is lost that an undisturbed run keeps, nothing is left to do.
 */
export class TreeJudge implements Judge {
  private known: Promise<Expected> | undefined;

  constructor(
    private readonly operation: TreeOperation,
    private readonly place: Place,
  ) {}

  async ended(place: Place, run: ProductRun): Promise<Verdict> {
    const { before, made, old, new: end } = await this.expected();
    const now = await lookAtTree(place);
    const states = [before, made, old.state, end.state].map(({ tree }) => tree);
    const wrong = isCanaryAlive(place) ? [] : ['something was written beside the tree'];
    for (const path of pathsOf(now.tree, ...states)) {
      const entry = now.tree.get(path);
      if (isPassing(path)) continue;
      if (!states.some((tree) => isPossible(entry, tree.get(path), states)))
        wrong.push(`${path} is neither old nor new`);
    }
    if (this.operation.canBeUndone) wrong.push(...silentDifferences(now));
    wrong.push(...wrongModes(now));
    const isDone = run.document?.exitCode === this.operation.exitCode;
    if (isDone && !this.operation.canBeUndone) wrong.push(...unlike(now, made));
    return { wrong };
  }

  async recovered(place: Place, bugs: readonly BugName[]): Promise<Verdict> {
    const expected = await this.expected();
    const wrong = await runRecovery(this.operation, place, bugs);
    const now = await lookAtTree(place);
    const audit = await lookAtAudit(place);
    wrong.push(...audit.wrong);
    const found = this.leftIn(now, expected);
    wrong.push(...found.wrong);
    const end = expected[found.left];
    if (audit.records !== end.records) wrong.push(`${audit.records}; ${found.left} has ${end.records}`);
    if (now.conflicts !== end.state.conflicts)
      wrong.push(`${now.conflicts} conflicts instead of ${end.state.conflicts}`);
    if (modeOf(now) !== modeOf(end.state)) wrong.push(`the mode is ${modeOf(now)}, not ${modeOf(end.state)}`);
    wrong.push(...wrongModes(now), ...lost(now, expected.before, end.state));
    wrong.push(...residue(place).map((name) => `left behind: ${name}`));
    if (now.modes.isChanging) wrong.push('left behind: .storage/mode-change');
    if (['dual_write', 'sqlite'].includes(now.modes.granted)) wrong.push(...(await wrongSteps(place)));
    return { wrong, left: this.operation.canBeUndone ? found.left : undefined };
  }

  /** Which end a place came to, and what is of neither. */
  private leftIn(now: TreeState, expected: Expected): { left: Left; wrong: string[] } {
    const [old, end] = [expected.old.state.tree, expected.new.state.tree];
    const wrong: string[] = [];
    const found: Record<Left, string[]> = { old: [], new: [] };
    for (const path of pathsOf(now.tree, old, end)) {
      const [is, was, will] = [now.tree.get(path), old.get(path), end.get(path)];
      const isChanged = !isLike(was, will);
      if ((!isChanged && isLike(is, will)) || isEmptyLock(path, is)) continue;
      if (isChanged && isLike(is, was)) found.old.push(path);
      else if (isChanged && isLike(is, will)) found.new.push(path);
      else
        wrong.push(`${path} is ${isChanged ? 'neither old nor new' : 'changed, though nobody touched it'}`);
    }
    if (found.old.length > 0 && found.new.length > 0)
      wrong.push(`a part of the change: ${found.new.join(', ')} without ${found.old.join(', ')}`);
    const canBeOld = this.operation.canBeUndone;
    if (!canBeOld && found.old.length > 0) wrong.push(`not brought to its end: ${found.old.join(', ')}`);
    return { left: canBeOld && found.old.length > 0 ? 'old' : 'new', wrong };
  }

  private expected(): Promise<Expected> {
    return (this.known ??= this.look());
  }

  /** What the commands that recover leave of the state before; a `sync` has nothing to do there. */
  private async undone(before: TreeState): Promise<End> {
    const { operation, place } = this;
    const isStill = before.modes.granted !== 'file';
    if (isStill) return { state: before, records: (await lookAtAudit(place)).records };
    return endOf(operation, copyPlace(place, `${place.directory}-expected`));
  }

  private async look(): Promise<Expected> {
    const { operation, place } = this;
    const before = await lookAtTree(place);
    const copy = copyPlace(place, `${place.directory}-expected`);
    const run = await runProduct({ args: operation.args(copy) });
    if (run.exitCode !== operation.exitCode)
      throw new Error(`${operation.name} undisturbed: ${endingOf(run)}`);
    const made = await lookAtTree(copy);
    const end = await endOf(operation, copy);
    const old = operation.canBeUndone ? await this.undone(before) : end;
    rmSync(copy.directory, { recursive: true, force: true });
    return { before, made, old, new: end };
  }
}

async function endOf(operation: TreeOperation, place: Place): Promise<End> {
  const wrong = await runRecovery(operation, place, []);
  const audit = await lookAtAudit(place);
  wrong.push(...audit.wrong);
  if (wrong.length > 0) throw new Error(`${operation.name} undisturbed: ${wrong.join('; ')}`);
  return { state: await lookAtTree(place), records: audit.records };
}

async function runRecovery(
  operation: TreeOperation,
  place: Place,
  bugs: readonly BugName[],
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { args, exits } of operation.recovery(place)) {
    const run = await runProduct({ args, bugs });
    wrong.push(...misbehaviour(run));
    if (!exits.includes(run.exitCode ?? -1)) wrong.push(`${args.slice(0, 2).join(' ')}: ${endingOf(run)}`);
  }
  return wrong;
}

/** True for what may stand there in the middle: one of the states, a directory on its way to its mode, a journal that grows. */
function isPossible(
  is: SnapshotEntry | undefined,
  state: SnapshotEntry | undefined,
  states: readonly Snapshot[],
): boolean {
  if (isLike(is, state)) return true;
  if (is === undefined || state === undefined || is.kind !== state.kind) return false;
  if (is.kind === 'directory') return true;
  const text = textLike(is.bytes);
  const isBegun = textLike(state.bytes).startsWith(text) && text.endsWith('\n');
  return isBegun && states.some((tree) => [...tree.values()].some((entry) => begins(text, entry)));
}

function begins(text: string, { kind, bytes }: SnapshotEntry): boolean {
  return kind === 'file' && bytes.length > 0 && text.startsWith(textLike(bytes));
}

/** Differences between the stores that nobody knows of: in modes with two stores each must be owed. */
function silentDifferences({ tree, stored, owed, modes }: TreeState): string[] {
  if (!['dual_write', 'sqlite'].includes(modes.granted)) return [];
  const paths = [...new Set([...tree.keys(), ...stored.keys()])].filter((path) => !isPassing(path));
  return paths
    .filter((path) => tree.get(path)?.sha256 !== stored.get(path) && !owed.has(path))
    .map((path) => `${path} differs between the stores, and nobody owes it`);
}

/** In the middle of a change the three records differ; that it has begun must be on record then. */
function wrongModes({ modes }: TreeState): string[] {
  const { granted, epoch, setting, stored, isChanging } = modes;
  const isOne = granted === setting && (stored === undefined || stored === `${granted} ${epoch}`);
  if (isOne || isChanging) return [];
  return [
    `the mode is ${granted} ${epoch} by .storage/epoch, ${setting} by setting.json, ${stored} in the database`,
  ];
}

function modeOf({ modes }: TreeState): string {
  return `${modes.granted} ${modes.epoch}`;
}

function unlike(now: TreeState, made: TreeState): string[] {
  return pathsOf(now.tree, made.tree)
    .filter((path) => !isLike(now.tree.get(path), made.tree.get(path)))
    .map((path) => `success was reported, and ${path} is not as it should be`);
}

/** Byte strings that stood there before, that an undisturbed run keeps somewhere, and that are nowhere. */
function lost(now: TreeState, before: TreeState, end: TreeState): string[] {
  const isKept = (hash: string, { stock, replaced }: TreeState): boolean =>
    stock.has(hash) || replaced.has(hash);
  return (
    [...before.stock]
      // What an undisturbed run has only beside the file it replaced, a later pass drops: it was replaced on purpose.
      .filter((hash) => end.stock.has(hash) && !isKept(hash, now))
      .map((hash) => `a content that was there before is nowhere: ${hash} ${nameOf(hash, before)}`)
  );
}

function nameOf(hash: string, { tree }: TreeState): string {
  return [...tree].find(([, entry]) => entry.sha256 === hash)?.[0] ?? '';
}

/** Rows and words of the index that are not those of the stored bytes. */
async function wrongRows(copy: string): Promise<string[]> {
  const handle = openHandle(copy, 'read');
  try {
    const differences = [...(await checkIndex(handle))];
    return differences.slice(0, 3).map(({ where, actual }) => `index ${where}: ${actual}`);
  } finally {
    handle.close();
  }
}

/** What is wrong with two stores that are said to be in step. */
async function wrongSteps(place: Place): Promise<string[]> {
  const { differenceCount, differences } = await withCopy(place, (copy) =>
    verifyTree({ home: place.home, database: copy, expectedSchema: expectedSchema(), checkAll: true }),
  );
  const wrong = differences.slice(0, 3).map(({ what, where, actual }) => `${what} ${where}: ${actual}`);
  if (differenceCount > wrong.length) wrong.push(`${differenceCount} differences`);
  wrong.push(...(await withCopy(place, wrongRows)));
  const again = await sync({ home: place.home });
  const { wrote, conflicts, debts, failed, unstable } = again;
  const open = conflicts.length + debts + failed.length + unstable.length;
  if (wrote + open > 0) wrong.push(`a second sync wrote ${wrote} times and left ${open} things open`);
  return wrong;
}
