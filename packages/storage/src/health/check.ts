import { isStorageError, systemError, type StorageError } from '@deespec/domain';

/** `warn`: something to look at, the tree can be worked with; `fail`: it cannot, or what it holds is not proven. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/**
 * What a check is about. `live`: the program can answer, tree and database are there. `ready`: the tree can be worked with.
 * `deep`: every byte, as of when it was last looked at. `machine`: what the program runs on.
 */
export type CheckLevel = 'live' | 'ready' | 'deep' | 'machine';

/** One thing that was looked at. */
export interface HealthCheck {
  /** Stable, such as `debt`. Source: docs/health.md, "Checks". */
  readonly name: string;
  readonly level: CheckLevel;
  readonly status: CheckStatus;
  /** What was found, for people. */
  readonly value: string;
  /** What it was held against, where that is a number. */
  readonly threshold?: string;
  /** What to do, with a command where there is one; present unless the status is `ok`. */
  readonly fix?: string;
  /** The code of the error that commands end with for this reason, where there is one. */
  readonly code?: string;
}

/** Numbers that were seen on the way, by the name of their metric without its prefix. */
export type Numbers = Readonly<Record<string, number>>;

/** What a check found. */
export interface Found extends Omit<HealthCheck, 'name' | 'level'> {
  readonly numbers?: Numbers;
}

/** A check that was made, and the numbers that it saw. */
export interface Made {
  readonly check: HealthCheck;
  readonly numbers: Numbers;
}

/** All is as it should be. */
export function ok(value: string, more: Omit<Found, 'status' | 'value'> = {}): Found {
  return { status: 'ok', value, ...more };
}

/**
 * Makes one check. What it cannot look at is its result, so that the others are made all the same.
 *
 * @param name - `<level> <name>`
 */
export async function check(
  name: `${CheckLevel} ${string}`,
  look: () => Found | Promise<Found>,
): Promise<Made> {
  const [level, short] = name.split(' ') as [CheckLevel, string];
  const { numbers = {}, ...found } = await attempt(look);
  const value = found.value.slice(0, MOST_CHARACTERS);
  return { check: { name: short, level, ...found, value }, numbers };
}

/** Longest text of a check: a message can name all that differs. */
export const MOST_CHARACTERS = 1_000;

async function attempt(look: () => Found | Promise<Found>): Promise<Found> {
  try {
    return await look();
  } catch (error) {
    return refused(error);
  }
}

/** A refusal as the result of a check. @throws what is no error of the storage or the system: a bug */
export function refused(error: unknown): Found {
  const known = isStorageError(error) ? error : systemError(error);
  if (known === undefined) throw error;
  return failed(known);
}

/** What stands in the way for a time is a warning. */
export function failed({ code, message, hint, kind }: StorageError): Found {
  return {
    status: kind === 'busy' ? 'warn' : 'fail',
    value: message,
    fix: hint ?? 'deespec status',
    code,
  };
}

const order: readonly CheckStatus[] = ['ok', 'warn', 'fail'];

/** The worst of all. */
export function worst(checks: readonly Pick<HealthCheck, 'status'>[]): CheckStatus {
  return order[Math.max(0, ...checks.map(({ status }) => order.indexOf(status)))]!;
}
