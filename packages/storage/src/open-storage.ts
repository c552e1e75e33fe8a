import type { Storage, StorageError } from '@deespec/domain';

import { homePaths } from './home.js';
import { LiveStorage } from './live/live-storage.js';
import { Session } from './live/session.js';
import { programOf } from './processes.js';
import { register } from './service/registry.js';

/** What {@link openStorage} takes. */
export interface OpenOptions {
  /** Path of the `.deespec` directory. */
  readonly home: string;
  /** Who makes the changes, for the audit log. */
  readonly user?: string;
  readonly sessionId?: string;
  /** Names the request that the changes belong to, for the audit log. */
  readonly requestId?: string;
  /**
   * What becomes of this process when somebody stops the tree. `end` (the default): it is registered, so that `stop --all`, a cut-over
   * and a rollback ask it to end. `stay`: it is not; its changes are refused while the tree is stopped.
   */
  readonly whenStopped?: 'end' | 'stay';
  /** Told when the second store could not be brought up to date; nothing is lost, and it is tried again. */
  readonly onProblem?: (problem: StorageError) => void;
  /** The present; default the system's clock. */
  readonly now?: () => Date;
  /** Names the lines that a change at this time adds to a journal; default a fresh ULID. One change at a time has one time. */
  readonly lineId?: (now: Date) => string;
}

/** An open tree, in the name of whoever makes the changes. */
export interface OpenedStorage extends Storage {
  /** The same tree in the name of somebody else, for as long as the first is open; it is not to be closed. */
  as(actor: Pick<OpenOptions, 'user' | 'sessionId' | 'requestId'>): Storage;
}

/**
 * Opens a tree in whatever mode it is, for as long as the service runs: changes of mode are followed. While the tree is stopped
 * reads are answered and changes fail with `STORAGE.STOPPED`, which is worth another try.
 *
 * @throws StorageError `TREE.NOT_FOUND`, `MODE.*`, `DATABASE.*`, `SCHEMA.*`, `EVIDENCE.STALE`, `LOCK.HELD`
 */
export async function openStorage(options: OpenOptions): Promise<OpenedStorage> {
  const { home, onProblem, now = () => new Date() } = options;
  const { user, sessionId, requestId, lineId } = options;
  const paths = homePaths(home);
  const session = new Session(paths, { now, ...(onProblem === undefined ? {} : { onProblem }) });
  const actor = {
    ...(user === undefined ? {} : { user }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  try {
    await session.use(async () => undefined);
    const stays = options.whenStopped === 'stay';
    const withdraw = stays ? () => undefined : register(paths, 'api', programOf(process.pid));
    const naming = lineId === undefined ? {} : { lineId };
    return new LiveStorage(session, { actor, now, onClosed: withdraw, ...naming });
  } catch (error) {
    await session.close();
    throw error;
  }
}
