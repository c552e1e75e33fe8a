import { describe, expect, test } from '@jest/globals';
import { lineProgress } from '../src/progress-lines.js';

function display() {
  const lines: string[] = [];
  const clock = { now: 0 };
  return {
    lines,
    clock,
    progress: lineProgress(
      (line) => lines.push(line),
      () => clock.now,
    ),
  };
}

describe('progress without a terminal', () => {
  test('prints nothing for a short command', () => {
    const { lines, clock, progress } = display();

    for (clock.now = 0; clock.now < 10_000; clock.now += 500) {
      progress.update({ phase: 'load', doneBytes: clock.now, totalBytes: 10_000, doneEntries: 1 });
    }

    expect(lines).toEqual([]);
  });

  test('prints a line every 10 seconds with share, bytes and time left', () => {
    const { lines, clock, progress } = display();

    for (clock.now = 0; clock.now <= 40_000; clock.now += 100) {
      progress.update({
        phase: 'load',
        doneBytes: clock.now * 1000,
        totalBytes: 80_000_000,
        doneEntries: 1234,
      });
    }

    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe('load: 25% (20 MB of 80 MB, 1,234 entries), ETA 1m');
    expect(lines[3]).toBe('load: 50% (40 MB of 80 MB, 1,234 entries), ETA 40s');
  });

  test('says bytes and entries alone while the total is unknown', () => {
    const { lines, clock, progress } = display();

    progress.update({ phase: 'scan', doneBytes: 0, doneEntries: 0 });
    clock.now = 10_000;
    progress.update({ phase: 'scan', doneBytes: 5_000_000, doneEntries: 10 });

    expect(lines).toEqual(['scan: 5 MB, 10 entries']);
  });

  test('measures the speed of each phase by itself', () => {
    const { lines, clock, progress } = display();

    progress.update({ phase: 'load', doneBytes: 0, totalBytes: 1000, doneEntries: 0 });
    clock.now = 9000;
    progress.update({ phase: 'verify', doneBytes: 0, totalBytes: 1000, doneEntries: 0 });
    clock.now = 10_000;
    progress.update({ phase: 'verify', doneBytes: 100, totalBytes: 1000, doneEntries: 0 });

    expect(lines).toEqual(['verify: 10% (100 B of 1 kB, 0 entries), ETA 9s']);
  });
});
