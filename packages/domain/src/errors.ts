/**
 * What the caller does about an error. Each kind has one exit code and one HTTP status; codes say what happened.
 *
 * Source: docs/errors.md.
 */
export type ErrorKind =
  'invalid' | 'not_found' | 'conflict' | 'integrity' | 'busy' | 'unsupported' | 'io' | 'internal';

/** Every stable error code with its kind. A code is never reused; `docs/errors.md` has one row for each. */
export const errorKinds = {
  'USAGE.INVALID': 'invalid',
  'SBI.INVALID_ID': 'invalid',
  'SBI.NOT_FOUND': 'not_found',
  'SBI.EXISTS': 'conflict',
  'SBI.CHANGED': 'conflict',
  'EXECUTION.EXISTS': 'conflict',
  'CONFIG.CHANGED': 'conflict',
  'TRANSACTION.CHANGED': 'conflict',
  'LEASE.HELD': 'conflict',
  'LEASE.NOT_HELD': 'conflict',
  'EXECUTION.NOT_FOUND': 'not_found',
  'CONFIG.NOT_FOUND': 'not_found',
  'QUARANTINE.NOT_FOUND': 'not_found',
  'CONFLICT.NOT_FOUND': 'not_found',
  'TREE.NOT_FOUND': 'not_found',
  'TREE.INVALID': 'invalid',
  'TREE.UNSTABLE': 'busy',
  'TREE.PATH_UNSAFE': 'invalid',
  'LAYOUT.CANNOT_EXPRESS': 'unsupported',
  'LAYOUT.MALFORMED': 'invalid',
  'FILE.NOT_FOUND': 'not_found',
  'FILE.CHANGED': 'conflict',
  'FILE.READ_FAILED': 'io',
  'FILE.WRITE_FAILED': 'io',
  'FILE.OUTCOME_UNKNOWN': 'io',
  'FILE.NO_SPACE': 'io',
  'FILE.PERMISSION': 'io',
  'FILE.SPECIAL': 'io',
  'FILE.UNSTABLE': 'io',
  'FILE.TIME_RANGE': 'invalid',
  'EXPORT.TARGET_NOT_EMPTY': 'conflict',
  'EXPORT.TARGET_INSIDE_TREE': 'invalid',
  'DATABASE.NOT_FOUND': 'not_found',
  'DATABASE.EMPTY_FILE': 'conflict',
  'DATABASE.NOT_SQLITE': 'conflict',
  'DATABASE.FOREIGN': 'conflict',
  'DATABASE.OTHER_STORE': 'conflict',
  'DATABASE.UNSAFE_LINK': 'io',
  'DATABASE.STRAY_SIDECAR': 'conflict',
  'DATABASE.TRUNCATED': 'integrity',
  'DATABASE.FORMAT': 'integrity',
  'DATABASE.NEWER': 'unsupported',
  'DATABASE.CORRUPT': 'integrity',
  'DATABASE.STALE': 'integrity',
  'DATABASE.NO_EVIDENCE': 'integrity',
  'EVIDENCE.STALE': 'unsupported',
  'SCHEMA.OLDER': 'unsupported',
  'SCHEMA.DRIFT': 'integrity',
  'SCHEMA.MISSING_OBJECT': 'integrity',
  'SCHEMA.EXTRA_OBJECT': 'integrity',
  'SCHEMA.DISGUISED_OBJECT': 'integrity',
  'SCHEMA.WOULD_LOSE': 'conflict',
  'SCHEMA.UNPROVEN': 'integrity',
  'MIGRATION.MALFORMED': 'integrity',
  'MIGRATION.CHECKSUM_MISMATCH': 'integrity',
  'MIGRATION.MISSING': 'integrity',
  'MIGRATION.FAILED': 'integrity',
  'TRANSFER.MISMATCH': 'integrity',
  'SQLITE.BUSY': 'busy',
  'SQLITE.CONSTRAINT': 'integrity',
  'SQLITE.FAILED': 'io',
  'LOCK.HELD': 'busy',
  'GO_TOOL.RUNNING': 'busy',
  'STORAGE.STOPPED': 'busy',
  'STOP.INCOMPLETE': 'busy',
  'SERVICE.FAILED': 'io',
  'MODE.UNKNOWN': 'unsupported',
  'MODE.NOT_GRANTED': 'unsupported',
  'MODE.REFUSED': 'unsupported',
  'RUN.UNFINISHED': 'conflict',
  'SYNC.MASS_DELETION': 'conflict',
  'AUDIT.BROKEN': 'integrity',
  'BACKUP.NOT_FOUND': 'not_found',
  'BACKUP.DAMAGED': 'integrity',
  'BACKUP.OTHER_STORE': 'conflict',
  'BACKUP.NEWER': 'unsupported',
  'RESTORE.UNFINISHED': 'unsupported',
  'REPAIR.BLOCKED': 'integrity',
  'REPAIR.FAILED': 'integrity',
  'REPAIR.PLAN_INVALID': 'invalid',
  'REPAIR.PLAN_STALE': 'conflict',
  'REQUEST.HOST': 'invalid',
  'REQUEST.ORIGIN': 'invalid',
  'REQUEST.UNAUTHENTICATED': 'invalid',
  'REQUEST.READ_ONLY': 'unsupported',
  'REQUEST.NOT_FOUND': 'not_found',
  'REQUEST.METHOD': 'invalid',
  'REQUEST.MEDIA_TYPE': 'invalid',
  'REQUEST.TOO_LARGE': 'invalid',
  'REQUEST.TOO_MANY': 'busy',
  'JOB.NOT_FOUND': 'not_found',
  'JOB.RUNNING': 'conflict',
  'ADMIN.PORT_TAKEN': 'conflict',
  'ADMIN.TOKEN_UNSAFE': 'io',
  'PREFLIGHT.NO_SPACE': 'io',
  'PREFLIGHT.FILE_SYSTEM': 'unsupported',
  'PREFLIGHT.FOREIGN_OWNER': 'io',
  'PREFLIGHT.OTHER_DEVICE': 'unsupported',
  'PREFLIGHT.SQLITE_VERSION': 'unsupported',
  INTERRUPTED: 'io',
  INTERNAL: 'internal',
} as const satisfies Record<string, ErrorKind>;

/** A stable error code, such as `SBI.NOT_FOUND`. */
export type ErrorCode = keyof typeof errorKinds;

/** Ids, paths, counts and versions that describe an error; never file content. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What a {@link StorageError} is made of. */
export interface StorageErrorOptions {
  /** What to do next, as a command where there is one. */
  readonly hint?: string;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/** The one error class of DeeSpec Storage. Test it by code with {@link isStorageError}, not with `instanceof`. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: ErrorKind;
  readonly hint: string | undefined;
  readonly details: ErrorDetails;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: StorageErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = errorKinds[code];
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  /** True when the same call may succeed later without any change by the caller. */
  get retryable(): boolean {
    return this.kind === 'busy';
  }
}

/**
 * True when `error` is a {@link StorageError}, of the given code when one is named. Works across two copies of this
 * package, which `instanceof` does not.
 */
export function isStorageError(error: unknown, code?: ErrorCode): error is StorageError {
  if (typeof error !== 'object' || error === null || !('name' in error) || !('code' in error)) return false;
  if (error.name !== 'StorageError') return false;
  return code === undefined || error.code === code;
}

/** Throws a plain `Error`: a state that only a bug can reach. Only the applications catch it. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Makes the compiler prove that a `switch` has handled every case. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
