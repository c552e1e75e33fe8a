import { modeMeanings } from '@deespec/domain';
import type { Storage } from '@deespec/domain';
import { toEnvelopeError } from './envelope.js';
import type { Context } from './session.js';

/** A change that was made. */
interface Changed<T> {
  readonly value: T;
  /** What the other store does not have of it yet; `[]` when it has everything. */
  readonly warnings: readonly string[];
}

/**
 * Opens the storage, makes a change in the name of the account, waits until the other store has it and closes. The change is
 * made once `change` resolves: that the other store is behind is a warning then, never a failure.
 *
 * @throws StorageError what `change` throws, and those of `openStorage`
 */
export async function withStorage<T>(
  context: Context,
  change: (storage: Storage) => Promise<T>,
): Promise<Changed<T>> {
  const home = await context.home();
  const { openStorage } = await import('@deespec/storage');
  const storage = await openStorage({ home, user: context.user });
  try {
    const value = await change(storage);
    return { value, warnings: await settle(storage) };
  } finally {
    await storage.close();
  }
}

async function settle(storage: Storage): Promise<readonly string[]> {
  try {
    await storage.settled();
    return [];
  } catch (error) {
    const { code, message } = toEnvelopeError(error);
    const [truth, other] =
      modeMeanings[storage.mode].reads === 'files' ? ['files', 'database'] : ['database', 'files'];
    return [
      `the change is made and durable in the ${truth}, and still owed to the ${other}: ${message} (${code}); ` +
        '"deespec sync" pays what is owed',
    ];
  }
}
