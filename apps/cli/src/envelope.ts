import { isStorageError, systemError } from '@deespec/domain';
import type { ErrorDetails } from '@deespec/domain';
import { safeJson } from './safe-text.js';

/** What went wrong, for scripts: test `code`, show `message` and `hint`. */
export interface EnvelopeError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly details: ErrorDetails;
  readonly retryable: boolean;
}

/**
 * The one JSON document a command prints with `--json`, on success and on failure.
 *
 * `ok` is `exitCode === 0`. `error` is `null` when the command ran to its end, which it also did when it reports
 * findings (exit 2) or kept entries in quarantine (exit 3).
 */
export interface Envelope {
  readonly schema: 'deespec.cli/1';
  /** Words of the command, such as `sbi list`; `deespec` when none was recognised. */
  readonly command: string;
  readonly ok: boolean;
  readonly exitCode: number;
  readonly data: unknown;
  readonly warnings: readonly string[];
  readonly error: EnvelopeError | null;
}

/** What was thrown, with a code when the operating system or the loading of a module failed: those are no bugs. */
export function knownError(thrown: unknown): unknown {
  return isStorageError(thrown) ? thrown : (systemError(thrown) ?? thrown);
}

/** An error as scripts see it. One without a code is a bug: `INTERNAL`, its message only, never a stack. */
export function toEnvelopeError(thrown: unknown): EnvelopeError {
  const error = knownError(thrown);
  if (isStorageError(error)) {
    const { code, message, hint = null, details, retryable } = error;
    return { code, message, hint, details, retryable };
  }
  return {
    code: 'INTERNAL',
    message: `unexpected failure: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'this is a bug in deespec: please report it with the command and the output of DEESPEC_DEBUG=1',
    details: {},
    retryable: false,
  };
}

/** The document as printed: JSON, indented, one line feed at the end. A `bigint` becomes its decimal text. */
export function formatEnvelope(envelope: Envelope): string {
  const json = JSON.stringify(
    envelope,
    (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    2,
  );
  return `${safeJson(json)}\n`;
}
