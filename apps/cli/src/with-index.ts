import type { Index } from '@deespec/domain';
import type { Context } from './session.js';

/** Opens the storage, asks its index and closes it, also when the question fails. */
export async function withIndex<T>(
  { context, store }: { context: Context; store: 'files' | 'sqlite' | undefined },
  ask: (index: Index) => Promise<T>,
): Promise<T> {
  const home = await context.home();
  const { openStorage } = await import('@deespec/storage');
  const storage = await openStorage({ home, ...(store === undefined ? {} : { store }) });
  try {
    return await ask(storage.index);
  } finally {
    await storage.close();
  }
}
