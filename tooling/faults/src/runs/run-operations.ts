import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { fillPlace, itemsOf, type Base } from '../dual/base-place.js';
import { oweFiles } from '../dual/pending-work.js';
import { mustSucceed, type Operation } from '../operation.js';
import type { Place } from '../place.js';
import { thin } from '../thin.js';
import { RunJudge } from './run-judge.js';

interface Kind {
  readonly name: string;
  readonly base: Base;
  readonly words: readonly string[];
  /** The mode that it brings. */
  readonly to: string;
  readonly pend?: (place: Place) => void | Promise<void>;
}

const kinds: readonly Kind[] = [
  { name: 'cutover', base: 'file', words: ['cutover', '--yes'], to: 'sqlite' },
  { name: 'cutover-dual', base: 'dual_write', words: ['cutover', '--yes'], to: 'sqlite' },
  { name: 'rollback', base: 'sqlite', words: ['rollback', '--yes'], to: 'file', pend: writeAndOwe },
  { name: 'rollback-rebuild', base: 'sqlite', words: ['rollback', '--yes'], to: 'file', pend: loseFiles },
];

/** There and back, and back from files that were lost. */
export const runOperations: readonly Operation[] = kinds.map(({ name, base, words, to, pend }) => {
  const operation: Operation = {
    name,
    kind: name.replace(/-dual$/u, ''),
    args: ({ home }) => [...words, '--home', home],
    exitCode: 0,
    writesTree: true,
    isRecorded: false,
    prepare: async (place) => {
      await fillPlace(place, base);
      await pend?.(place);
    },
    recovery: (place) => [{ args: operation.args(place), exits: [0] }],
    watch: (place) => new RunJudge(operation, place, to),
    thin,
  };
  return operation;
});

async function writeSome(place: Place): Promise<void> {
  await mustSucceed(place, ['sbi', 'set-status', itemsOf(place).a[0]!, 'REVIEW', '--home', place.home]);
  await mustSucceed(place, ['config', 'set', 'setting.max_turns', '12', '--home', place.home]);
}

/** Some of it is in the database alone: the rollback has to bring it to the files. */
async function writeAndOwe(place: Place): Promise<void> {
  await writeSome(place);
  await oweFiles(place);
}

/** More than a sync takes for deletions. */
async function loseFiles(place: Place): Promise<void> {
  await writeSome(place);
  for (const name of readdirSync(place.home)) {
    if (name === 'specs' || name === 'knowledge') rmSync(join(place.home, name), { recursive: true });
  }
}
