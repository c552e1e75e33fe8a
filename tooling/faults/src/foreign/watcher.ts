import { setTimeout as sleep } from 'node:timers/promises';

import type { Place } from '../place.js';
import { endingOf, endOf, misbehaviour, startProduct } from '../product.js';
import type { BugName } from '../seeded-bugs.js';

/** Exits after which a service manager starts it again: it was in the way of a change of mode, or the mode has one store only. */
const RESTARTED = [75, 78];

/** `deespec sync --watch` in the background, started again when it ends. */
export class Watcher {
  readonly wrong: string[] = [];
  private isWanted = true;
  private child: ReturnType<typeof startProduct> | undefined;
  private readonly running: Promise<void>;

  constructor(
    private readonly place: Place,
    private readonly bugs: readonly BugName[],
  ) {
    this.running = this.keep();
  }

  async stop(): Promise<readonly string[]> {
    this.isWanted = false;
    this.child?.kill('SIGTERM');
    await this.running;
    return this.wrong;
  }

  private async keep(): Promise<void> {
    while (this.isWanted) {
      const args = ['sync', '--watch', '--home', this.place.home];
      this.child = startProduct({ args, bugs: this.bugs, timeoutMs: 3_600_000 });
      const run = endOf(await this.child);
      // Node dies of a signal that comes before the program is loaded.
      if (!this.isWanted && run.signal === 'SIGTERM' && run.stderr === '') return;
      this.wrong.push(...misbehaviour(run).map((what) => `sync --watch: ${what}`));
      if (!this.isWanted) return;
      if (!RESTARTED.includes(run.exitCode ?? -1)) this.wrong.push(`sync --watch: ${endingOf(run)}`);
      await sleep(200);
    }
  }
}
