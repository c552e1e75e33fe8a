import type { TreePath } from '@deespec/domain';

import type { DiskTree } from './disk-tree.js';
import type { Before, Intent, Step } from './intent.js';
import type { StepMaker } from './step-maker.js';

/**
 * How far a step of an edit came before its process died: `open` its path is as before, `done` as after; `begun` a directory
 * was made but perhaps not finished; `moved` neither: another program changed it since.
 */
export type StepState = 'open' | 'begun' | 'done' | 'moved';

/** The numbers of steps in the order in which they are made: lines come last, because nobody can take them back. */
export function appendsLast(steps: readonly Step[]): readonly number[] {
  const numbers = [...steps.keys()];
  const isAppend = (number: number): boolean => steps[number]!.op === 'append';
  return [...numbers.filter((number) => !isAppend(number)), ...numbers.filter(isAppend)];
}

/**
 * Says of each step of an edit how far it came, by what stands at its path now. The steps of one path are looked at together:
 * the first ones are done up to the one that left what stands there.
 */
export function progressOf(
  intent: Intent,
  parts: { readonly tree: DiskTree; readonly steps: StepMaker },
): readonly StepState[] {
  const { tree, steps } = parts;
  const states: StepState[] = [];
  const byPath = new Map<TreePath, number[]>();
  intent.steps.forEach((step, number) => {
    if (step.op === 'append') states[number] = stateOfLine(tree, step);
    else byPath.set(step.path, [...(byPath.get(step.path) ?? []), number]);
  });
  for (const [path, numbers] of byPath) {
    const present = tree.find(path);
    const isInTrash = (number: number): boolean => steps.isInTrash(path, { id: intent.id, number });
    const own = numbers.map((number) => ({ step: intent.steps[number]!, number }));
    const { done, next } = reached(own, { present, isInTrash });
    own.forEach(({ number }, at) => (states[number] = at < done ? 'done' : at === done ? next : 'open'));
    if (next === 'moved') for (const number of numbers) states[number] = 'moved';
  }
  return states;
}

interface Look {
  readonly present: Before | undefined;
  readonly isInTrash: (number: number) => boolean;
}

type Numbered = { readonly step: Step; readonly number: number };

/** How many of a path's steps are done, the most there can be, and the state of the one after them. */
function reached(own: readonly Numbered[], look: Look): { readonly done: number; readonly next: StepState } {
  for (let done = own.length; done > 0; done -= 1) {
    if (isAfter(own[done - 1]!, look)) return { done, next: 'open' };
  }
  if (isBefore(own[0]!, look)) return { done: 0, next: 'open' };
  const begun = look.present?.kind === 'directory' ? own.findIndex(({ step }) => makesDirectory(step)) : -1;
  return begun < 0 ? { done: 0, next: 'moved' } : { done: begun, next: 'begun' };
}

function makesDirectory(step: Step): boolean {
  return step.op === 'put' && step.kind === 'directory' && step.before === undefined;
}

/** True when what stands at the path is what the step leaves there. */
function isAfter({ step, number }: Numbered, { present, isInTrash }: Look): boolean {
  switch (step.op) {
    case 'put': {
      if (present === undefined || !isSame(present, step)) return false;
      const isDirectory = step.kind === 'directory';
      const isOnlyMode = isDirectory || (step.before !== undefined && isSame(step.before, step));
      return !isOnlyMode || step.kind === 'symlink' || present.mode === step.mode;
    }
    case 'remove':
      return present === undefined;
    case 'discard':
      return present === undefined && isInTrash(number);
    case 'append':
      return false;
  }
}

/** True when what stands at the path is what stood there before the step. */
function isBefore({ step, number }: Numbered, { present, isInTrash }: Look): boolean {
  switch (step.op) {
    case 'put':
      return step.before === undefined
        ? present === undefined
        : present !== undefined && isSame(present, step.before);
    case 'remove':
      return present !== undefined && isSame(present, step.before);
    case 'discard':
      return present?.kind === 'directory' && !isInTrash(number);
    case 'append':
      return false;
  }
}

function isSame(a: Pick<Before, 'kind' | 'sha256'>, b: Pick<Before, 'kind' | 'sha256'>): boolean {
  return a.kind === b.kind && a.sha256 === b.sha256;
}

type AppendStep = Extract<Step, { op: 'append' }>;

function stateOfLine(tree: DiskTree, step: AppendStep): StepState {
  const kind = tree.statOf(step.path)?.kind;
  if (kind === undefined) return 'open';
  if (kind !== 'file') return 'moved';
  return holdsLine(tree, step) ? 'done' : 'open';
}

/** True when the lines stand in the journal, at or behind the end that it had; anywhere when it was made shorter since. */
function holdsLine(tree: DiskTree, { path, size, bytes }: AppendStep): boolean {
  const present = tree.statOf(path)?.size ?? 0;
  // With the byte before them, which ends the line before.
  const start = present < size ? 0 : Math.max(0, size - 1);
  const wanted = Buffer.concat([Buffer.from('\n'), bytes]);
  let rest = start === 0 ? Buffer.from('\n') : Buffer.alloc(0);
  let offset = 0;
  for (const chunk of tree.read(path)) {
    const text = Buffer.concat([rest, chunk.subarray(Math.max(0, start - offset))]);
    if (text.includes(wanted)) return true;
    rest = text.subarray(Math.max(0, text.length - wanted.length));
    offset += chunk.length;
  }
  return false;
}
