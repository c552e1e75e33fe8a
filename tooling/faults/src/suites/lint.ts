import { rmSync } from 'node:fs';

import { backupOperations } from '../backup/backup-operations.js';
import { makeTemplate, traceOperation } from '../points.js';
import { takeSnapshot } from '../dual/tree-snapshot.js';
import type { Operation } from '../operation.js';
import type { Place } from '../place.js';
import type { Bad, Suite } from '../suite.js';
import { mutatingCalls } from '../trace.js';
import { eachOperation } from '../sweep.js';
import { checkTrace, ruleCalls, type TreeAccess } from '../trace-rules.js';

/** Operations that write into the tree in the CI share. */
const CI_TREES = 4;

/** Reads the traces of undisturbed runs for missing syncs and forbidden opens. */
export const lint: Suite = {
  name: 'lint',
  about:
    'traces of undisturbed runs: no missing sync, no foreign open of a database, no write into the source',
  needs: ['strace'],
  run: async (context) => {
    const bad: Bad[] = [];
    let calls = 0;
    let points = 0;
    await eachOperation(context, { most: CI_TREES, rare: backupOperations }, async (operation) => {
      const template = await makeTemplate(context.directory, operation);
      const access = accessOf(operation, template.place);
      const wanted = [...mutatingCalls, ...ruleCalls];
      const { trace, place } = await traceOperation(template, { bugs: context.bugs, calls: wanted });
      points += 1;
      calls += trace.calls.length;
      for (const { rule, what } of checkTrace(trace, place, access(place)))
        bad.push({ point: operation.name, what: `${rule}: ${what}` });
      rmSync(place.directory, { recursive: true, force: true });
    });
    return { points, bad, facts: { 'system calls read': calls } };
  },
};

/** What the rules have to know of an operation, for each place that begins as `before` does. */
function accessOf({ writesTree, isRecorded }: Operation, before: Place): (place: Place) => TreeAccess {
  const names = writesTree ? [...takeSnapshot(before.home).keys()] : [];
  return ({ home }) => ({
    isWriter: writesTree,
    isRecorded,
    paths: new Set(names.map((name) => `${home}/${name}`)),
  });
}
