import type { Index } from '@deespec/domain';
import type { Context } from './session.js';

/** Opens the tree, asks its index and closes it, also when the question fails. */
export async function withIndex<T>(
  { context, store }: { context: Context; store: 'files' | 'sqlite' | undefined },
  ask: (index: Index) => Promise<T>,
): Promise<T> {
  const home = await context.home();
  const { openIndex } = await import('@deespec/storage');
  const tree = await openIndex({ home, ...(store === undefined ? {} : { store }) });
  try {
    return await ask(tree.index);
  } finally {
    await tree.close();
  }
}
