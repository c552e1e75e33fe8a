/** One execution as the timeline shows it. */
export interface TimelineStep {
  readonly run: number;
  readonly turn: number;
  readonly step: string;
  readonly attempt: number;
  readonly decision: string;
  readonly status: string;
  readonly startedAt: string;
  readonly completedAt?: string | null | undefined;
  /** Milliseconds; absent when nobody wrote it down. */
  readonly durationMs?: number | null | undefined;
  readonly error?: string | null | undefined;
}

/** A row of the timeline: the head of a run, a step of a turn, or a time in which nothing happened. */
export type TimelineRow =
  | {
      readonly kind: 'run';
      readonly run: number;
      readonly startedAt: string;
      readonly steps: number;
      readonly failed: number;
    }
  | { readonly kind: 'step'; readonly step: TimelineStep; readonly share: number }
  | { readonly kind: 'gap'; readonly run: number; readonly after: string; readonly lengthMs: number };

/** Shorter pauses between two steps are the usual business of the tool, and no row of their own. */
const gapFloorMs = 600_000;

/** Name of a step in addresses: `1.3.implement`. */
export function stepName(step: Pick<TimelineStep, 'run' | 'turn' | 'step'>): string {
  return `${step.run}.${step.turn}.${step.step}`;
}

/** True when a step ended badly: it was decided FAILED or ended by force, or says an error. */
export function hasFailed(step: TimelineStep): boolean {
  return step.decision === 'FAILED' || step.decision === 'FORCE_TERMINATED' || (step.error ?? '') !== '';
}

/** How long a step took, in milliseconds; `undefined` when its end is not known. */
export function durationOf(step: TimelineStep): number | undefined {
  if (typeof step.durationMs === 'number') return step.durationMs;
  if (step.completedAt === null || step.completedAt === undefined) return undefined;
  const duration = Date.parse(step.completedAt) - Date.parse(step.startedAt);
  return Number.isFinite(duration) ? duration : undefined;
}

function byRun(steps: readonly TimelineStep[]): Map<number, TimelineStep[]> {
  const runs = new Map<number, TimelineStep[]>();
  for (const step of steps) {
    const known = runs.get(step.run);
    if (known === undefined) runs.set(step.run, [step]);
    else known.push(step);
  }
  return runs;
}

const endOf = (step: TimelineStep) => Date.parse(step.completedAt ?? step.startedAt);

/**
 * Rows in the order in which things happened, a head before each run. A pause of more than ten minutes is one row, however
 * long it was, so that nobody scrolls through a weekend; with `failedOnly` pauses are left out, because what is between two
 * failures is no pause. `share` is the duration as a part of the longest, 0 to 1, of its square root: short ones stay visible.
 */
export function timelineRows(steps: readonly TimelineStep[], failedOnly: boolean): TimelineRow[] {
  const longest = steps.reduce((most, step) => Math.max(most, durationOf(step) ?? 0), 1);
  const rows: TimelineRow[] = [];
  for (const [run, ofRun] of byRun(steps)) {
    const shown = failedOnly ? ofRun.filter(hasFailed) : ofRun;
    const first = ofRun[0];
    if (first === undefined || shown.length === 0) continue;
    rows.push({
      kind: 'run',
      run,
      startedAt: first.startedAt,
      steps: ofRun.length,
      failed: ofRun.filter(hasFailed).length,
    });
    let previous: TimelineStep | undefined;
    for (const step of shown) {
      const gap = previous === undefined || failedOnly ? 0 : Date.parse(step.startedAt) - endOf(previous);
      if (gap >= gapFloorMs && previous !== undefined) {
        rows.push({ kind: 'gap', run, after: stepName(previous), lengthMs: gap });
      }
      rows.push({ kind: 'step', step, share: Math.sqrt(Math.max(0, durationOf(step) ?? 0) / longest) });
      previous = step;
    }
  }
  return rows;
}
