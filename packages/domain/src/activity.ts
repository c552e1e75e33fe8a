/** What was done since a time. */
export interface Activity {
  /** Days on which something ended, oldest first, such as `2026-01-31` (UTC). */
  readonly days: readonly DayOfWork[];
  /** By step, in byte order. */
  readonly steps: readonly StepTime[];
}

/** One day. */
export interface DayOfWork {
  readonly day: string;
  /** SBIs that were completed. */
  readonly completed: number;
  /** Executions that ended. */
  readonly executions: number;
}

/** How long the executions of one step took, milliseconds. */
export interface StepTime {
  readonly step: string;
  readonly count: number;
  readonly medianMs: number;
  /** Not exceeded by 95 of 100. */
  readonly p95Ms: number;
}

/** An execution that ended: times are UTC, see `parseTime`. */
export interface EndedExecution {
  readonly step: string;
  readonly startedAt: string;
  readonly completedAt: string;
}

/** Makes an {@link Activity} of what ended, taken one by one in any order. */
export class ActivityCount {
  private readonly days = new Map<string, { completed: number; executions: number }>();
  private readonly times = new Map<string, number[]>();

  /** @param completedAt - when an SBI was completed */
  takeSbi(completedAt: string): void {
    this.dayOf(completedAt).completed += 1;
  }

  takeExecution({ step, startedAt, completedAt }: EndedExecution): void {
    this.dayOf(completedAt).executions += 1;
    const ms = Date.parse(completedAt) - Date.parse(startedAt);
    // A clock that was set back says nothing of how long a step took.
    if (!(ms >= 0)) return;
    const times = this.times.get(step);
    if (times === undefined) this.times.set(step, [ms]);
    else times.push(ms);
  }

  activity(): Activity {
    const days = [...this.days].sort(([a], [b]) => (a < b ? -1 : 1));
    const steps = [...this.times].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return {
      days: days.map(([day, counts]) => ({ day, ...counts })),
      steps: steps.map(([step, times]) => {
        const sorted = Float64Array.from(times).sort();
        const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1]!;
        return { step, count: sorted.length, medianMs: at(0.5), p95Ms: at(0.95) };
      }),
    };
  }

  private dayOf(time: string): { completed: number; executions: number } {
    const day = time.slice(0, 10);
    const known = this.days.get(day);
    if (known !== undefined) return known;
    const counts = { completed: 0, executions: 0 };
    this.days.set(day, counts);
    return counts;
  }
}
