import type { Judge, JobOperation, Verdict } from './operation.js';
import type { Place } from './place.js';
import { endingOf, misbehaviour, runProduct } from './product.js';
import type { BugName } from './seeded-bugs.js';
import { judge, residue, stateBefore, type Before } from './state.js';

/** The judge of an operation of the main job, which begins in `place`. */
export function judgeJob(operation: JobOperation, place: Place): Judge {
  const before = stateBefore(place);
  // Awaited by whoever asks first.
  before.catch(() => undefined);
  return {
    ended: async (ended) => {
      const { wrong, left } = await judge(operation, ended, await before);
      return { wrong, left, isOver: left === 'new' && operation.makes === 'export' };
    },
    recovered: async (ended, bugs) => recover(operation, { place: ended, before: await before, bugs }),
  };
}

interface Recovering {
  readonly place: Place;
  readonly before: Before;
  readonly bugs: readonly BugName[];
}

/** The same command again, undisturbed: it must end as it should, leave the new state and nothing else. */
async function recover(operation: JobOperation, { place, before, bugs }: Recovering): Promise<Verdict> {
  const run = await runProduct({ args: operation.args(place), bugs });
  const wrong = misbehaviour(run);
  // An export that was complete when it was killed stands in the way of the next: that is its being complete.
  const isDone = operation.makes === 'export' && run.document?.error?.code === 'EXPORT.TARGET_NOT_EMPTY';
  if (run.exitCode !== operation.exitCode && !isDone) wrong.push(endingOf(run));
  const settled = await judge(operation, place, before);
  wrong.push(...settled.wrong);
  if (settled.left !== 'new') wrong.push('the target is not the new state');
  const left = isDone ? [] : residue(place);
  if (left.length > 0) wrong.push(`left behind: ${left.join(', ')}`);
  return { wrong };
}
