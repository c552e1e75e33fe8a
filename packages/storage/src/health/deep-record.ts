import { parseTime } from '@deespec/domain';
import { writeFileDurably } from '@deespec/file-adapter';
import { join } from 'node:path';

import type { HomePaths } from '../home.js';
import { readRegular } from '../read-regular.js';
import { MOST_CHARACTERS, ok, type CheckStatus, type Found, type HealthCheck } from './check.js';
import { formatSpan, secondsSince, SECONDS_OF_DAY, type HealthLimits } from './limits.js';

/** What a deep check found, as it is kept for the probes that come after it. */
export interface DeepRecord {
  /** When it began: UTC, fixed width. */
  readonly at: string;
  readonly durationMs: number;
  readonly status: CheckStatus;
  readonly checks: readonly HealthCheck[];
}

/** Remembers a deep check. Informational: no command relies on it. */
export function rememberDeep(paths: HomePaths, record: DeepRecord): void {
  const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
  writeFileDurably({ kind: 'file', target: fileOf(paths), bytes, mode: 0o600 });
}

/** The last deep check, or `undefined` when there is no readable record of one. */
export function lastDeep(paths: HomePaths): DeepRecord | undefined {
  try {
    const value: unknown = JSON.parse(readRegular(fileOf(paths))?.toString('utf8') ?? 'null');
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function fileOf(paths: HomePaths): string {
  return join(paths.own, 'last-deep-check');
}

/** No deep check writes more. */
const MOST_CHECKS = 50;

const statuses: readonly unknown[] = ['ok', 'warn', 'fail'] satisfies CheckStatus[];

/** A tree comes from anywhere: what is shown as the result of a check has the shape of one. */
function isRecord(value: unknown): value is DeepRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { at, durationMs, status, checks } = value as Record<string, unknown>;
  return (
    typeof at === 'string' &&
    parseTime(at) === at &&
    Number.isSafeInteger(durationMs) &&
    statuses.includes(status) &&
    Array.isArray(checks) &&
    checks.length <= MOST_CHECKS &&
    checks.every(isCheck)
  );
}

function isCheck(value: unknown): value is HealthCheck {
  if (typeof value !== 'object' || value === null) return false;
  const { level, status, ...texts } = value as Record<string, unknown>;
  const { name, value: found } = texts;
  return (
    level === 'deep' &&
    statuses.includes(status) &&
    typeof name === 'string' &&
    /^[a-z-]{1,40}$/u.test(name) &&
    typeof found === 'string' &&
    Object.values(texts).every((text) => typeof text === 'string' && text.length <= MOST_CHARACTERS)
  );
}

/** How old a deep check is. */
export function lastFound(deep: DeepRecord | undefined, { deepDays }: HealthLimits, now: Date): Found {
  const threshold = `${deepDays} days`;
  if (deep === undefined) return ok('never made: deespec health --deep makes one', { threshold });
  const age = secondsSince(deep.at, now);
  const numbers = {
    last_deep_check_seconds: now.getTime() / 1_000 - age,
    deep_check_duration_seconds: deep.durationMs / 1_000,
  };
  const value = `${formatSpan(age)} ago, in ${formatSpan(deep.durationMs / 1_000)}`;
  if (age <= deepDays * SECONDS_OF_DAY) return ok(value, { threshold, numbers });
  return { status: 'warn', value, threshold, fix: 'deespec health --deep', numbers };
}
