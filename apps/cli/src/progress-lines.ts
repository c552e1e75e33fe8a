import type { Progress } from '@deespec/storage';
import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';

import { formatCount } from './render.js';

/** Shows how far a long command is. */
export interface ProgressDisplay {
  update(progress: Progress): void;
  /** Removes the display. */
  close(): void;
}

/** Milliseconds between two lines where there is no terminal. Source: docs/cli.md, "Progress". */
const LINE_INTERVAL_MS = 10_000;

/**
 * Progress as lines: nothing for the first 10 seconds, then one line every 10 seconds.
 *
 * @param now - milliseconds of a clock that never goes back
 */
export function lineProgress(write: (line: string) => void, now: () => number): ProgressDisplay {
  let last = now();
  let phase: Phase | undefined;
  return {
    update(progress) {
      const time = now();
      if (phase?.name !== progress.phase)
        phase = { name: progress.phase, startedAt: time, fromBytes: progress.doneBytes };
      if (time - last < LINE_INTERVAL_MS) return;
      last = time;
      write(formatProgress(progress, phase, time));
    },
    close: () => undefined,
  };
}

/** When a phase began, and how many bytes it counted then. */
export interface Phase {
  readonly name: string;
  /** Milliseconds. */
  readonly startedAt: number;
  readonly fromBytes: number;
}

function formatProgress(progress: Progress, phase: Phase, now: number): string {
  const { doneBytes, totalBytes, doneEntries } = progress;
  const entries = `${formatCount(doneEntries)} entries`;
  if (totalBytes === undefined) return `${progress.phase}: ${prettyBytes(doneBytes)}, ${entries}`;
  const done = totalBytes === 0 ? 100 : Math.min(100, Math.floor((doneBytes / totalBytes) * 100));
  const amount = `${prettyBytes(doneBytes)} of ${prettyBytes(totalBytes)}`;
  return `${progress.phase}: ${done}% (${amount}, ${entries}), ETA ${formatEta(progress, phase, now)}`;
}

/** Time left at the mean speed of the phase so far; `?` while there is no speed. */
export function formatEta(progress: Progress, phase: Phase, now: number): string {
  const speed = (progress.doneBytes - phase.fromBytes) / (now - phase.startedAt);
  if (progress.totalBytes === undefined || !(speed > 0) || !Number.isFinite(speed)) return '?';
  const leftMs = Math.max(0, progress.totalBytes - progress.doneBytes) / speed;
  return prettyMs(Math.ceil(leftMs / 1000) * 1000);
}
