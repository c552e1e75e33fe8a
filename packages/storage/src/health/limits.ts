/** What the numbers of a tree are held against. */
export interface HealthLimits {
  /** How long a change may wait for the other store, seconds. */
  readonly debtSeconds: number;
  /** How long an edit may be half done, seconds. */
  readonly editSeconds: number;
  /** How old the last proof of every byte may be, days. */
  readonly evidenceDays: number;
  /** How old the last deep check may be, days, once there was one. */
  readonly deepDays: number;
  /** How large the write-ahead log may be, bytes. */
  readonly walBytes: number;
  /** How much room the disk must have, bytes. */
  readonly diskFreeBytes: number;
}

/** Source: docs/health.md, "Limits". */
export const defaultLimits: HealthLimits = {
  debtSeconds: 60,
  editSeconds: 60,
  evidenceDays: 7,
  deepDays: 7,
  // A writer lets the log of an idle database be no larger: `journal_size_limit`.
  walBytes: 67_108_864,
  diskFreeBytes: 1_073_741_824,
};

export const SECONDS_OF_DAY = 86_400;

/** Seconds since a time of the trees; 0 when it is to come, infinite when it is none: a row can hold anything. */
export function secondsSince(time: string, now: Date): number {
  const sinceMs = Date.parse(time);
  return Number.isNaN(sinceMs) ? Infinity : Math.max(0, (now.getTime() - sinceMs) / 1_000);
}

/** A span for people: `40 s`, `5 min`, `3 h`, `12 days`. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7_200) return `${Math.floor(whole / 60)} min`;
  if (whole < 2 * SECONDS_OF_DAY) return `${Math.floor(whole / 3_600)} h`;
  return `${Math.floor(whole / SECONDS_OF_DAY)} days`;
}

/** Bytes for people, in the unit that suits: `512 bytes`, `64.0 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}
