import { rmSync } from 'node:fs';

import { chooseOperations } from '../all-operations.js';
import { makeTemplate, traceOperation } from '../points.js';
import type { Bad, Suite } from '../suite.js';
import { mutatingCalls } from '../trace.js';
import { checkTrace, ruleCalls } from '../trace-rules.js';

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
    for (const operation of chooseOperations(context, 8)) {
      const template = await makeTemplate(context.directory, operation);
      const wanted = [...mutatingCalls, ...ruleCalls];
      const { trace, place } = await traceOperation(template, { bugs: context.bugs, calls: wanted });
      points += 1;
      calls += trace.calls.length;
      for (const { rule, what } of checkTrace(trace, place, operation))
        bad.push({ point: operation.name, what: `${rule}: ${what}` });
      rmSync(place.directory, { recursive: true, force: true });
    }
    return { points, bad, facts: { 'system calls read': calls } };
  },
};
