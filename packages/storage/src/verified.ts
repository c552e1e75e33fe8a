import { StorageError } from '@deespec/domain';

import type { HomePaths } from './home.js';
import type { RunOptions, VerifyReport } from './reports.js';
import { verifyUnderBarrier } from './verify.js';

/**
 * Proves that the files and the database hold the same, every byte read on both sides; the proof is added to the evidence. Runs
 * under the barrier.
 *
 * @throws StorageError `TRANSFER.MISMATCH` with the differences; those of `verify`
 */
export async function requireVerified(
  paths: HomePaths,
  options: Pick<RunOptions, 'onProgress' | 'signal'>,
): Promise<VerifyReport> {
  const report = await verifyUnderBarrier(paths, {
    ...options,
    home: paths.home,
    checkAll: true,
    isRenewed: true,
  });
  if (report.ok) return report;
  throw new StorageError(
    'TRANSFER.MISMATCH',
    `${report.differenceCount} differences between the files and the database; the mode was not changed`,
    {
      hint: 'see them with "deespec verify --check-all"; "deespec sync" brings both into step',
      details: { differenceCount: report.differenceCount, differences: report.differences.slice(0, 20) },
    },
  );
}
