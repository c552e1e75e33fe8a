import type { Index, TreeStore } from '@deespec/domain';

/** A storage under test. */
export interface OpenedStorage {
  readonly store: TreeStore;
  readonly index: Index;
  /** Checks what the storage left behind, then removes it. */
  close(): Promise<void>;
}

/** Opens a fresh, empty storage. */
export type OpenStorage = () => Promise<OpenedStorage>;

/** Wraps a test's work so that it gets a fresh storage. */
export type OnStorage = (work: (storage: OpenedStorage) => Promise<void>) => () => Promise<void>;

/** The same, for tests that need the store only. */
export type OnStore = (work: (store: TreeStore) => Promise<void>) => () => Promise<void>;

/** Runs `work` on a fresh storage and closes it, also when `work` fails. */
export async function withStorage(
  open: OpenStorage,
  work: (storage: OpenedStorage) => Promise<void>,
): Promise<void> {
  const storage = await open();
  try {
    await work(storage);
  } catch (error) {
    // The test's own failure is the one to see; what closing finds then is a consequence.
    await storage.close().catch(() => undefined);
    throw error;
  }
  await storage.close();
}
