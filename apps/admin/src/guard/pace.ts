/** Requests a second that one caller may make for long, and at once. */
const PER_SECOND = 50;
const AT_ONCE = 250;

/** How many requests each caller may still make. */
export class Pace {
  private readonly callers = new Map<string, { left: number; atMs: number }>();

  constructor(private readonly nowMs: () => number) {}

  /** Takes one request off; false when there is none left. */
  take(caller: string): boolean {
    const nowMs = this.nowMs();
    const { left, atMs } = this.callers.get(caller) ?? { left: AT_ONCE, atMs: nowMs };
    const now = Math.min(AT_ONCE, left + ((nowMs - atMs) / 1_000) * PER_SECOND);
    this.callers.set(caller, { left: now < 1 ? now : now - 1, atMs: nowMs });
    return now >= 1;
  }
}
