import { rmSync } from 'node:fs';
import { join } from 'node:path';

import type { BugName } from './seeded-bugs.js';
import type { Command, Judge, Operation } from './operation.js';
import { copyPlace, makePlace, type Place } from './place.js';
import { runProduct, endingOf, type ProductRun } from './product.js';
import { traced } from './strace.js';
import { changesBelow, readTrace, touches, type Call, type Trace } from './trace.js';

/** An operation, ready to be repeated from the same state. */
export interface Template {
  readonly operation: Operation;
  /** The state before the command; copied for each run, never worked in. */
  readonly place: Place;
  readonly judge: Judge;
}

/** Prepares each operation once, in a directory of its own below `directory`. */
export async function makeTemplate(directory: string, operation: Operation): Promise<Template> {
  const place = makePlace(join(directory, `template-${operation.name}`));
  await operation.prepare(place);
  return { operation, place, judge: operation.watch(place) };
}

/** Runs the operation undisturbed in a copy and returns its trace. @throws Error when it does not end as it should */
export async function traceOperation(
  template: Template,
  options: {
    bugs: readonly BugName[];
    calls?: readonly string[];
    place?: Place;
    command?: (place: Place) => Command;
  },
): Promise<{ trace: Trace; place: Place; run: ProductRun }> {
  const { operation } = template;
  const place = options.place ?? copyPlace(template.place, `${template.place.directory}-traced`);
  const file = `${place.directory}.trace`;
  const { args, exits } = options.command?.(place) ?? {
    args: operation.args(place),
    exits: [operation.exitCode],
  };
  const run = await runProduct({
    args,
    bugs: options.bugs,
    wrapper: traced(file, [], options.calls),
    timeoutMs: 120_000,
  });
  if (!exits.includes(run.exitCode ?? -1)) throw new Error(`${operation.name} undisturbed: ${endingOf(run)}`);
  const trace = readTrace(file);
  rmSync(file);
  return { trace, place, run };
}

/** Every call of an undisturbed run, of the operation or of `command`, that changes something in its place, in order. */
export async function pointsOf(
  template: Template,
  bugs: readonly BugName[],
  command?: (place: Place) => Command,
): Promise<readonly Call[]> {
  const { trace, place } = await traceOperation(template, {
    bugs,
    ...(command === undefined ? {} : { command }),
  });
  const points = changesBelow(trace, [place.directory]).map((call) => ({
    ...call,
    args: call.args.replaceAll(place.directory, template.place.directory),
  }));
  rmSync(place.directory, { recursive: true, force: true });
  return points;
}

/**
 * True when the injection of a traced run hit the call that it was meant for: the one of this name, thread and number, in
 * `place`. A harness that believes in faults that did not happen finds nothing, so the trace must show it: a killed process
 * never sees its call return, and strace marks every other injection.
 */
export function wasHit(file: string, point: Call, place: Place): boolean {
  const { calls } = readTrace(file);
  const isHit = ({ result }: Call): boolean => result.startsWith('?') || result.includes('(INJECTED)');
  return calls.some(
    (call) =>
      call.name === point.name &&
      call.ordinal === point.ordinal &&
      isHit(call) &&
      touches(call, place.directory),
  );
}
