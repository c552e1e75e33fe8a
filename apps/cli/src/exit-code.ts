import type { ErrorCode, ErrorKind, StorageError } from '@deespec/domain';

/** The process exit codes. Source: docs/exit-codes.md. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  findings: 2,
  partial: 3,
  usage: 64,
  invalid: 65,
  notFound: 66,
  bug: 70,
  conflict: 73,
  io: 74,
  busy: 75,
  unsafe: 77,
  configuration: 78,
} as const;

/** Signals that stop a command cleanly, with their numbers. */
export const stopSignals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof stopSignals;

const byKind: Readonly<Record<ErrorKind, number>> = {
  invalid: exitCodes.invalid,
  not_found: exitCodes.notFound,
  conflict: exitCodes.conflict,
  integrity: exitCodes.invalid,
  busy: exitCodes.busy,
  unsupported: exitCodes.configuration,
  io: exitCodes.io,
  internal: exitCodes.bug,
};

const byCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  'USAGE.INVALID': exitCodes.usage,
  'FILE.PERMISSION': exitCodes.unsafe,
  'DATABASE.UNSAFE_LINK': exitCodes.unsafe,
  'PREFLIGHT.FOREIGN_OWNER': exitCodes.unsafe,
};

/**
 * The exit code of an error: by its code where that says more than its kind.
 *
 * @param signal - what interrupted the command; an `INTERRUPTED` without one counts as SIGINT
 */
export function exitCodeOf(error: StorageError, signal: StopSignal = 'SIGINT'): number {
  if (error.code === 'INTERRUPTED') return 128 + stopSignals[signal];
  return byCode[error.code] ?? byKind[error.kind] ?? exitCodes.bug;
}
