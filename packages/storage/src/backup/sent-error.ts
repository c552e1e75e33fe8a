import { isStorageError, systemError } from '@deespec/domain';

/** An error as it can be sent to another process. */
export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What is sent of an error. */
export function sendable(error: unknown): SentError {
  const known = isStorageError(error) ? error : systemError(error);
  if (known !== undefined) {
    const { code, message, hint, details } = known;
    return { code, message, hint, details };
  }
  return {
    code: 'INTERNAL',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    details: {},
  };
}
