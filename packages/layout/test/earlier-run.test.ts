import { describe, expect, test } from '@jest/globals';

import { timeToNs } from '@deespec/domain';
import type { TreePath } from '@deespec/domain';

import { earlierRunPath } from '../src/index.js';
import { viewOf, type Files } from './change-support.js';
import { DIR, ID, JOURNAL, journal, line, pick } from './support.js';

const FILE = `${DIR}/implement_2.md` as TreePath;
const KEPT = `${DIR}/histories/run_1/implement_2.md`;
const at = (day: number): string => `2026-01-0${day}T00:00:00Z`;
const ns = (time: string): bigint => timeToNs(`${time.slice(0, 19)}.000000000Z`);

/** Asks for the file whose bytes were written on a day, in a tree with these lines. */
function kept(lines: readonly object[], day = 1, files: Files = {}): TreePath | undefined {
  const tree = { [FILE]: 'old', [JOURNAL]: journal(...lines), ...files };
  return earlierRunPath(FILE, viewOf(tree, { mtimes: { [FILE]: ns(at(day)) } }));
}

const firstRun = [pick({ ts: at(1) }), line({ ts: at(2) })];
const secondPick = pick({ ts: at(4) });

describe('earlierRunPath', () => {
  test('keeps the bytes of the first run once the second began', () => {
    expect(kept([...firstRun, secondPick])).toBe(KEPT);
    expect(kept([...firstRun, secondPick, line({ turn: 3 })])).toBe(KEPT);
  });

  test('keeps them when the line about what replaced them is there already', () => {
    expect(kept([...firstRun, secondPick, line({ ts: at(6) })])).toBe(KEPT);
  });

  test('names the run that wrote last', () => {
    const lines = [...firstRun, pick({ ts: at(2) }), line({ ts: at(3) }), secondPick];

    expect(kept(lines)).toBe(KEPT.replace('run_1', 'run_2'));
    expect(kept([...lines, line({ ts: at(6) })], 3)).toBe(KEPT.replace('run_1', 'run_2'));
    expect(kept([...firstRun, pick({ ts: at(2) }), secondPick])).toBe(KEPT);
  });

  test('knows a file by its name when the line names none', () => {
    const nameless = line({ ts: at(2), artifacts: [{ type: 'status', id: ID }] });

    expect(kept([pick({ ts: at(1) }), nameless, secondPick])).toBe(KEPT);
  });

  test('goes by the file that a line names, not by its step', () => {
    const review = line({ step: 'review', turn: 3, artifacts: [`.deespec/${FILE}`] });

    expect(kept([pick({ ts: at(1) }), review, secondPick])).toBe(KEPT);
    expect(kept([pick({ ts: at(1) }), line({ artifacts: [`.deespec/${DIR}/test_2.md`] }), secondPick])).toBe(
      undefined,
    );
  });

  test.each<[string, readonly object[], number, Files]>([
    ['there is no journal', [], 1, {}],
    ['its run is in work', firstRun, 1, {}],
    ['its run is in work, though no pick began it', [line({ ts: at(2) })], 1, {}],
    ['no line names it', [pick({ ts: at(1) }), line({ turn: 3 }), secondPick], 1, {}],
    ['it was written in the run in work', [...firstRun, secondPick, line({ ts: at(6) })], 5, {}],
    ['only the run in work wrote it', [pick({ ts: at(1) }), secondPick, line({ ts: at(6) })], 1, {}],
    ['a file of that run is kept already', [...firstRun, secondPick], 1, { [KEPT]: 'kept' }],
    ['it is no file', [...firstRun, secondPick], 1, { [FILE]: { link: 'x' } }],
  ])('keeps nothing when %s', (...[, lines, day, files]) => {
    expect(kept(lines, day, files)).toBeUndefined();
  });

  test.each([`${DIR}/spec.md`, KEPT, 'var/state.json', `${DIR}/notes/implement_2.md`])(
    'keeps nothing of %s, which is no step file of an SBI',
    (path) => {
      const view = viewOf({ [path]: 'old', [JOURNAL]: journal(...firstRun, secondPick) });

      expect(earlierRunPath(path as TreePath, view)).toBeUndefined();
    },
  );

  test('judges the entry it is given, not the one that took its place in the view', () => {
    const lines = [...firstRun, secondPick, line({ ts: at(6) })];
    const view = viewOf({ [FILE]: 'new', [JOURNAL]: journal(...lines) }, { mtimes: { [FILE]: ns(at(5)) } });
    const stored = { ...view.find(FILE)!, mtimeNs: ns(at(2)) };

    expect(earlierRunPath(FILE, view)).toBeUndefined();
    expect(earlierRunPath(FILE, view, stored)).toBe(KEPT);
    expect(earlierRunPath(FILE, viewOf({ [JOURNAL]: journal(...lines) }), stored)).toBe(KEPT);
  });
});
