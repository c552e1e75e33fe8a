import { displayPath } from '@deespec/domain';
import * as storage from '@deespec/storage';

import type { JobKind, JobRequest } from '../dto/job.js';

/** What a job works with. */
export interface JobTools {
  readonly home: string;
  readonly user: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: storage.Progress) => void;
  readonly onStep: (event: storage.StepEvent) => void;
  readonly program?: readonly [string, ...string[]];
}

type Run = (request: JobRequest, tools: JobTools) => Promise<object>;

/** Every kind of job: one use case of the storage each, as the command of the same name calls it. */
export const runs: Readonly<Record<JobKind, Run>> = {
  'backup-create': ({ note }, { home, signal, onProgress }) =>
    storage.createBackup({ home, signal, onProgress, ...(note === undefined ? {} : { note }) }),
  'backup-verify': ({ backupId }, { home, signal }) => storage.verifyBackup({ home, id: backupId!, signal }),
  migrate: ({ dryRun = false, quarantine = false }, { home, signal, onProgress }) =>
    storage.migrate({ home, signal, onProgress, dryRun, quarantine }),
  verify: ({ checkAll = false }, { home, signal, onProgress }) =>
    storage.verify({ home, signal, onProgress, checkAll }),
  sync: async ({ dryRun = false, allowDeletions = false }, { home, signal }) => {
    const actions: object[] = [];
    const onAction = ({ path, ...action }: storage.SyncAction): void => {
      if (actions.length < LISTED) actions.push({ path: displayPath(path), ...action });
    };
    const { unstable, failed, ...report } = await storage.sync({
      home,
      signal,
      dryRun,
      allowDeletions,
      ...(dryRun ? { onAction } : {}),
    });
    return {
      ...report,
      unstable: unstable.map(displayPath),
      failed: failed.map(({ path, ...why }) => ({ path: displayPath(path), ...why })),
      ...(dryRun ? { actions } : {}),
    };
  },
  cutover: ({ dryRun = false, quarantine = false }, { user: _, ...tools }) =>
    storage.cutover({ ...tools, dryRun, quarantine }),
  rollback: ({ dryRun = false, rebuild = false }, { user: _, ...tools }) =>
    storage.rollback({ ...tools, dryRun, rebuild }),
  rehearse: ({ writes, quarantine = false }, { home, signal, onProgress, onStep }) =>
    storage.rehearse({
      home,
      signal,
      onProgress,
      quarantine,
      onPhase: (name) => onStep({ name, about: name, state: 'begun' }),
      ...(writes === undefined ? {} : { writes }),
    }),
  restore: ({ backupId, dryRun = false, withTree = false }, { home, signal, onProgress, user }) =>
    storage.restore({ home, signal, onProgress, user, from: backupId!, dryRun, withTree }),
  'quarantine-retry': ({ dryRun = false }, { home, signal, onProgress }) =>
    storage.retryQuarantine({ home, signal, onProgress, dryRun }),
};

/** Items of a list in a report that are shown. */
const LISTED = 1_000;

/** A report as JSON has it: numbers as they are, lists of at most 1,000; what was left out is a warning. */
export function toReport(report: object): { report: Record<string, unknown>; warnings: string[] } {
  const warnings: string[] = [];
  const plain = JSON.parse(
    JSON.stringify(report, (key, value: unknown) => {
      if (typeof value === 'bigint') return value.toString();
      if (!Array.isArray(value) || value.length <= LISTED) return value;
      warnings.push(`"${key}" has ${value.length} items; the first ${LISTED} are shown`);
      return value.slice(0, LISTED) as unknown[];
    }),
  ) as Record<string, unknown>;
  const own = Array.isArray(plain['warnings']) ? (plain['warnings'] as string[]) : [];
  return { report: plain, warnings: [...own, ...warnings] };
}
