import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { fillPlace, itemsOf, type Base } from '../dual/base-place.js';
import { mustSucceed, type Operation } from '../operation.js';
import type { Place } from '../place.js';
import type { Call } from '../trace.js';
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
  { name: 'rollback', base: 'sqlite', words: ['rollback', '--yes'], to: 'file', pend: writeSome },
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

/** More than a sync takes for deletions. */
async function loseFiles(place: Place): Promise<void> {
  await writeSome(place);
  for (const name of readdirSync(place.home)) {
    if (name === 'specs' || name === 'knowledge') rmSync(join(place.home, name), { recursive: true });
  }
}

/** Of many pages that are written one after the other into files that nobody reads yet, one in so many is a point. */
const EVERY = 40;

function thin(calls: readonly Call[]): readonly Call[] {
  let beside = 0;
  return calls.filter(({ name, args }) => {
    if (!/^p?write/u.test(name) || !/\/\.storage\/(?:runs|backups|rebuild)\//u.test(args)) return true;
    beside += 1;
    return beside % EVERY === 1;
  });
}
