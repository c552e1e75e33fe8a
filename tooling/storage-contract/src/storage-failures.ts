import { isStorageError } from '@deespec/domain';

/** The code that a call fails with; `undefined` when it does not. Other errors pass. */
export async function failureOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (isStorageError(error)) return error.code;
    throw error;
  }
}
