import type { Operation } from '../operation.js';
import type { Place } from '../place.js';
import type { Call } from '../trace.js';
import { SchemaJudge, type VersionStep } from './schema-judge.js';
import { fillWithVersion, newest } from './schema-place.js';

const older = Array.from({ length: newest - 1 }, (_, i) => i + 1);

/** Every earlier version of the schema to the newest, and the newest back to each. */
export const schemaOperations: readonly Operation[] = [
  ...older.map((version) => operationOf(`schema-up-${version}`, { from: version, to: newest })),
  ...older.map((version) => operationOf(`schema-down-${version}`, { from: newest, to: version })),
];

function operationOf(name: string, step: VersionStep): Operation {
  const kind = step.from < step.to ? 'schema-up' : 'schema-down';
  const words = step.from < step.to ? ['up'] : ['down', '--to', String(step.to), '--yes'];
  const operation: Operation = {
    name,
    kind,
    args: ({ home }: Place) => ['schema', ...words, '--home', home],
    exitCode: 0,
    writesTree: false,
    isRecorded: false,
    prepare: (place) => fillWithVersion(place, step.from),
    recovery: (place) => [{ args: operation.args(place), exits: [0] }],
    watch: (place) => new SchemaJudge(operation, place, step),
    thin,
  };
  return operation;
}

/** Of many pages that are written one after the other into a copy that nobody reads, one in so many is a point. */
const EVERY = 40;

function thin(calls: readonly Call[]): readonly Call[] {
  let inCopies = 0;
  return calls.filter(({ name, args }) => {
    if (name !== 'pwrite64' || !args.includes('/.storage/runs/')) return true;
    inCopies += 1;
    return inCopies % EVERY === 1;
  });
}
