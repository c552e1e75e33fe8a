import type { Storage, StorageError } from '@deespec/domain';
import { openStorage, type OpenedStorage } from '@deespec/storage';

/** Who makes a change, for the audit log. */
export interface Author {
  readonly user: string;
  readonly sessionId: string;
  readonly requestId: string;
}

/** The tree behind the API: opened by the first request that needs it, and again by the next when that failed. */
export class OpenTree {
  private opening: Promise<OpenedStorage> | undefined;

  constructor(
    readonly home: string,
    private readonly onProblem: (problem: StorageError) => void,
  ) {}

  /** @throws StorageError those of `openStorage` */
  async as(author: Author): Promise<Storage> {
    return (await this.open()).as(author);
  }

  async close(): Promise<void> {
    const opened = await this.opening?.catch(() => undefined);
    this.opening = undefined;
    await opened?.close();
  }

  private open(): Promise<OpenedStorage> {
    const { home, onProblem } = this;
    // It stays when the tree is stopped: whoever watches a cut-over here goes on watching.
    this.opening ??= openStorage({ home, onProblem, whenStopped: 'stay' }).catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }
}
