import { openStorage } from '@deespec/storage';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { mustSucceed, type Command } from '../operation.js';
import type { Place } from '../place.js';
import { fillPlace, itemsOf, type Base } from './base-place.js';
import * as pending from './pending-work.js';
import { TreeJudge, type TreeOperation } from './tree-judge.js';
import { RECOVERED } from './tree-state.js';

interface Kind {
  readonly kind: string;
  readonly bases: readonly Base[];
  readonly args: (place: Place) => readonly string[];
  readonly exitCode?: number;
  /** What there is to be done in a tree that is in step. */
  readonly pend?: (place: Place) => void | Promise<void>;
}

const NEW_ITEM = 'SBI-01M810CC01J2AAPQZVYRK1YMJR';
const modes = ['file', 'dual_write', 'sqlite'] as const;
const twoStores = ['dual_write', 'sqlite'] as const;

const step = ['--step', 'implement', '--status', 'WIP', '--decision', 'PENDING'];
const content = (place: Place): readonly string[] => ['--content', join(place.directory, 'canary.txt')];

/** What services ask for. */
const writes: readonly Kind[] = [
  {
    kind: 'create',
    bases: modes,
    args: (place) => [
      ...['sbi', 'create', '--title', 'Made', '--id', NEW_ITEM, '--label', 'one,two'],
      ...specOf(place),
    ],
  },
  { kind: 'status-a', bases: modes, args: (place) => ['sbi', 'set-status', itemsOf(place).a[0]!, 'REVIEW'] },
  { kind: 'status-b', bases: modes, args: (place) => ['sbi', 'set-status', itemsOf(place).b[0]!, 'REVIEW'] },
  { kind: 'label', bases: modes, args: (place) => ['sbi', 'label', itemsOf(place).a[0]!, 'one,two'] },
  {
    kind: 'execution',
    bases: modes,
    args: (place) => [
      ...['execution', 'add', itemsOf(place).a[0]!, '--run', '1', '--turn', '7'],
      ...step,
      ...content(place),
    ],
  },
  {
    kind: 'execution-again',
    bases: modes,
    args: (place) => [
      ...['execution', 'add', itemsOf(place).b[0]!, '--run', '2', '--turn', '2'],
      ...step,
      ...content(place),
    ],
    pend: beginRun,
  },
  { kind: 'config', bases: modes, args: () => ['config', 'set', 'setting.max_turns', '12'] },
];

/** What another program or a crash left to be done. */
const syncs: readonly Kind[] = [
  { kind: 'sync-edit', bases: twoStores, pend: pending.editFile },
  { kind: 'sync-new', bases: twoStores, pend: pending.addFile },
  { kind: 'sync-deletion', bases: twoStores, pend: pending.deleteFile },
  { kind: 'sync-merge', bases: twoStores, pend: pending.addLines },
  { kind: 'sync-conflict', bases: twoStores, exitCode: 2, pend: pending.editBoth },
  { kind: 'sync-outbox', bases: ['sqlite'] as const, pend: pending.oweFiles },
  { kind: 'sync-debt', bases: ['dual_write'] as const, pend: pending.oweDatabase },
  { kind: 'sync-half', bases: ['dual_write'] as const, pend: pending.halfEdit },
].map((kind) => ({ ...kind, args: () => ['sync'] }));

const changes = [
  ['migrated', 'dual_write', pending.editFile],
  ['dual_write', 'sqlite', pending.addFile],
  ['migrated', 'sqlite', pending.deleteFile],
  ['sqlite', 'file', pending.editFile],
  ['sqlite', 'dual_write', pending.oweFiles],
] as const;

/** Each change of mode is a kind of its own: none stands for another. */
const modeChanges: readonly Kind[] = changes.map(([base, to, pend]) => ({
  kind: `mode-${base === 'migrated' ? 'file' : base}-${to}`,
  bases: [base],
  args: () => ['mode', 'set', to],
  pend,
}));

const resolutions: readonly Kind[] = [
  {
    kind: 'resolve',
    bases: twoStores,
    args: (place) => ['conflict', 'resolve', conflictIn(place), '--take', takenIn(place)],
    pend: makeConflict,
  },
];

/** Every operation that writes into the tree, in each mode that it works in. */
export const treeOperations: readonly TreeOperation[] = [
  ...writes.flatMap((kind) => variants(kind, { recovery: nextCommand, canBeUndone: true })),
  ...syncs.flatMap((kind) =>
    variants(kind, { recovery: () => [{ args: ['sync'], exits: [0, kind.exitCode ?? 0] }] }),
  ),
  ...modeChanges.flatMap((kind) =>
    variants(kind, { recovery: (place) => [{ args: kind.args(place), exits: [0] }] }),
  ),
  ...resolutions.flatMap((kind) => variants(kind, { recovery: resolveAgain })),
];

interface Recovering {
  readonly recovery: (place: Place, base: Base) => readonly Command[];
  readonly canBeUndone?: true;
}

function variants(
  { kind, bases, args, exitCode = 0, pend }: Kind,
  { recovery, canBeUndone }: Recovering,
): TreeOperation[] {
  return bases.map((base) => {
    const withHome = (place: Place, words: readonly string[]): string[] => [...words, '--home', place.home];
    const operation: TreeOperation = {
      name: bases.length === 1 ? kind : `${kind}.${base}`,
      kind,
      exitCode,
      writesTree: true,
      isRecorded: canBeUndone === true,
      canBeUndone: canBeUndone === true,
      args: (place) => withHome(place, args(place)),
      recovery: (place) =>
        recovery(place, base).map((command) => ({ ...command, args: withHome(place, command.args) })),
      prepare: async (place) => {
        await fillPlace(place, base);
        await pend?.(place);
      },
      watch: (place) => new TreeJudge(operation, place),
    };
    return operation;
  });
}

/** In mode `file` the next write recovers, here one that touches nothing that the operations touch. */
function nextCommand(place: Place, base: Base): readonly Command[] {
  const args = base === 'file' ? ['sbi', 'label', itemsOf(place).b[0]!, RECOVERED] : ['sync'];
  return [{ args, exits: [0] }];
}

/** A conflict that is still listed is resolved again; it may be that its version stands already. */
function resolveAgain(place: Place): readonly Command[] {
  const id = conflictIn(place);
  const again = { args: ['conflict', 'resolve', id, '--take', takenIn(place)], exits: [0] };
  return [...(id === '' ? [] : [again]), { args: ['sync'], exits: [0] }];
}

function specOf({ directory }: Place): readonly string[] {
  return ['--spec', join(directory, 'canary.txt')];
}

/** A second run of the item in work, so that a step of it writes where the first run has a file. */
async function beginRun(place: Place): Promise<void> {
  const storage = await openStorage({ home: place.home });
  try {
    await storage.claimNext({ leaseMs: 86_400_000 });
    await storage.settled();
  } finally {
    await storage.close();
  }
}

async function makeConflict(place: Place): Promise<void> {
  await pending.editBoth(place);
  await mustSucceed(place, ['sync', '--home', place.home], 2);
}

/** The id of the only conflict; empty when there is none any more. */
function conflictIn({ home }: Place): string {
  const conflicts = join(home, '.storage/conflicts');
  return readdirSync(conflicts).find((id) => existsSync(join(conflicts, id, 'about.json'))) ?? '';
}

/** The version that does not stand: so the resolution has to write. */
function takenIn(place: Place): string {
  return pending.isFileTruth(place) ? 'db' : 'file';
}
