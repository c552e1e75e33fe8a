import { isStorageError, type Claim, type Decision, type Storage } from '@deespec/domain';

/** What became of one backlog item. */
export interface Work {
  /** The file it leaves behind: Markdown. */
  readonly report: string;
  readonly decision: Decision;
}

/** What a {@link runWorker} does. */
export interface WorkerOptions {
  /** Length of a lease, milliseconds. A worker that dies loses its item after this time, to another one. */
  readonly leaseMs: number;
  /** The work itself. `renew` has to be called before the lease ends. */
  readonly work: (claim: Claim, renew: () => Promise<void>) => Promise<Work>;
  /** Told what was finished. */
  readonly onDone?: (claim: Claim, work: Work) => void;
}

/**
 * Takes backlog items into work, one after the other, until none is left.
 *
 * @returns how many were finished by this worker
 */
export async function runWorker(storage: Storage, options: WorkerOptions): Promise<number> {
  let finished = 0;
  for (;;) {
    const claim = await storage.claimNext({ leaseMs: options.leaseMs });
    if (claim === undefined) return finished;
    if (await workOn(storage, claim, options)) finished += 1;
  }
}

/** @returns false when the lease ended meanwhile and somebody else has the item */
async function workOn(
  storage: Storage,
  first: Claim,
  { leaseMs, work, onDone }: WorkerOptions,
): Promise<boolean> {
  let claim = first;
  try {
    const done = await work(claim, async () => void (claim = await storage.renewLease(claim, leaseMs)));
    await storage.appendExecution({
      sbiId: claim.sbi.id,
      run: claim.run,
      turn: 2,
      step: 'implement',
      status: 'REVIEW',
      decision: done.decision,
      content: Buffer.from(done.report),
    });
    await storage.releaseSbi(claim, done.decision === 'SUCCEEDED' ? 'DONE' : 'READY');
    onDone?.(claim, done);
    return true;
  } catch (error) {
    if (isStorageError(error, 'LEASE.NOT_HELD')) return false;
    throw error;
  }
}
