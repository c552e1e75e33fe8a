import { errorKinds, isStorageError, StorageError, type ErrorCode, type ErrorDetails } from './errors.js';
import { systemError } from './system-error.js';

/** An error as it is sent to another process: plain data. */
export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details: ErrorDetails;
}

/** What is sent of an error. One that nobody expected is sent with its stack in place of a message. */
export function sendableError(error: unknown): SentError {
  const known = isStorageError(error) ? error : systemError(error);
  if (known !== undefined) {
    const { code, message, hint, details } = known;
    return { code, message, hint, details };
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'INTERNAL', message: text, details: {} };
}

/** The error that was sent: of the same code, or a plain one where the code is not known here. */
export function receivedError({ code, message, hint, details }: SentError): Error {
  if (!Object.hasOwn(errorKinds, code)) return new Error(message);
  return new StorageError(code as ErrorCode, message, { ...(hint === undefined ? {} : { hint }), details });
}
