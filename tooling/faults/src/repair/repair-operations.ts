import Database from 'better-sqlite3';
import { join } from 'node:path';

import { fillPlace } from '../dual/base-place.js';
import { mustSucceed, type Command, type Operation } from '../operation.js';
import type { Place } from '../place.js';
import { judgeRepair } from './repair-judge.js';

/** Rows of each derived kind that are wrong; the only copies of artifacts lie with executions that nothing derives. */
const faults = `
  UPDATE sbi SET priority = priority + 1;
  UPDATE execution SET turn = 90 + id
  WHERE id IN (SELECT execution_id FROM tree_entry WHERE execution_id IS NOT NULL);
  UPDATE config SET value = '"other"';
`;

const bases = { file: 'migrated', sqlite: 'sqlite' } as const;

/** The application of a plan of a repair, in a mode with each journal of SQLite's. */
export const repairOperations: readonly Operation[] = (['file', 'sqlite'] as const).map((mode) => {
  const apply = (place: Place): readonly string[] => [
    ...['repair', '--apply', planIn(place)],
    ...['--home', place.home],
  ];
  const recovery = (place: Place): readonly Command[] => [
    // Once it is repaired the plan is that of another state.
    { args: apply(place), exits: [0, 73] },
    // A log that a killed writer left is applied by the next one.
    ...(mode === 'sqlite' ? [{ args: ['sync', '--home', place.home], exits: [0] }] : []),
  ];
  return {
    name: `repair.${mode}`,
    kind: 'repair',
    args: apply,
    exitCode: 0,
    writesTree: false,
    isRecorded: false,
    recovery,
    prepare: async (place) => {
      await fillPlace(place, bases[mode]);
      corrupt(place);
      await mustSucceed(place, ['repair', '--plan', '--output', planIn(place), '--home', place.home]);
    },
    watch: (place) => judgeRepair(place, recovery),
  };
});

/** Beside the tree, in its project. */
function planIn({ directory }: Place): string {
  return join(directory, 'project', 'plan.json');
}

function corrupt({ database }: Place): void {
  const handle = new Database(database);
  try {
    handle.exec(faults);
  } finally {
    handle.close();
  }
}
