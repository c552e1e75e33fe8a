import { modeMeanings, storageModes, timeFromDate } from '@deespec/domain';
import {
  formatMetrics,
  readBackups,
  readHealth,
  readStatus,
  type HealthReport,
  type StatusReport,
} from '@deespec/storage';

import type { App, Part } from '../app.js';
import type { BackupNoteDto, DatabaseDto, NextStepDto, StatusDto } from '../dto/status.js';

const DAY_MS = 86_400_000;

type Names = 'getStatus' | 'getHealth' | 'getActivity' | 'getMetrics' | 'getLiveness';

/** Where the tree stands, how it is, and what was done. */
export function overviewRoutes({ home, project, now }: Pick<App, 'home' | 'project' | 'now'>): Part<Names> {
  return {
    getStatus: async () => {
      const [status, { backups }] = [await readStatus({ home }), await readBackups({ home })];
      const verified = backups.find(({ state, manifest }) => state === 'verified' && manifest !== undefined);
      const lastVerified =
        verified?.manifest === undefined
          ? undefined
          : { id: verified.id, createdAt: verified.manifest.createdAt, verified: true };
      return { body: statusView(status, { project, lastVerified }) };
    },
    getHealth: async () => {
      const { status, at, checks, numbers } = await readHealth({ home });
      return {
        body: { status, at, checks: checks.map((check) => ({ ...check })), numbers: finite(numbers) },
      };
    },
    getActivity: async ({ query: { days = 30 }, storage }) => {
      const tree = await storage();
      const list = daysUntil(now(), days);
      const { days: worked, steps } = await tree.readActivity(`${list[0]!}T00:00:00.000000000Z`);
      const counts = [...(await tree.countSbis())].map(([status, count]) => ({ status, count }));
      const byDay = new Map(worked.map((one) => [one.day, one]));
      return {
        body: {
          counts,
          days: list.map((day) => ({ ...(byDay.get(day) ?? { day, completed: 0, executions: 0 }) })),
          steps: steps.slice(0, 100).map((step) => ({ ...step })),
        },
      };
    },
    getMetrics: async () => ({
      body: formatMetrics(await readHealth({ home })),
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    }),
    getLiveness: async () => {
      const { status, levels } = await readHealth({ home });
      return { body: { status, levels: { ...levels } }, status: status === 'fail' ? 503 : 200 };
    },
  };
}

/** Days up to today, oldest first. */
function daysUntil(now: Date, count: number): string[] {
  return Array.from({ length: count }, (_, at) =>
    timeFromDate(new Date(now.getTime() - (count - 1 - at) * DAY_MS)).slice(0, 10),
  );
}

/** JSON has no infinity: such a number is not there. */
function finite(numbers: HealthReport['numbers']): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => Number.isFinite(value)));
}

interface Beside {
  readonly project: string;
  readonly lastVerified: BackupNoteDto | undefined;
}

function statusView(status: StatusReport, { project, lastVerified }: Beside): StatusDto {
  const { mode, modeMeaning, truth, requested, setting, debt, conflicts, evidence, lastScan } = status;
  const { lock, stopped, service, processes, goTool, lastBackup, run, rehearsal } = status;
  return {
    project,
    mode,
    modeMeaning,
    modes: storageModes.map((one) => ({ mode: one, ...modeMeanings[one], current: one === mode })),
    truth,
    ...(requested === undefined ? {} : { requested }),
    ...(setting === undefined ? {} : { settingProblem: setting.message }),
    ...(debt === undefined ? {} : { debt: { ...debt } }),
    conflicts,
    database: databaseView(status.database),
    ...(evidence === undefined ? {} : { evidence: withSize(evidence) }),
    ...(lastScan === undefined ? {} : { lastScan: withSize(lastScan) }),
    locked: lock.held,
    ...(lock.holder === undefined ? {} : { holder: { ...lock.holder } }),
    ...(stopped === undefined ? {} : { stoppedSince: stopped.since }),
    ...serviceView(service, processes),
    processes: processes.map((one) => ({ ...one })),
    goToolRuns: goTool.stateLock || goTool.runLock,
    ...(goTool.wip === undefined ? {} : { wip: goTool.wip }),
    ...(lastBackup === undefined ? {} : { lastBackup: { ...lastBackup } }),
    ...(lastVerified === undefined ? {} : { lastVerifiedBackup: lastVerified }),
    ...(run === undefined ? {} : { run: { ...run, done: [...run.done] } }),
    ...(rehearsal === undefined ? {} : { rehearsal: { ...rehearsal } }),
    nextStep: nextStepView(status.nextStep),
  };
}

function serviceView(
  service: StatusReport['service'],
  processes: StatusReport['processes'],
): Pick<StatusDto, 'service'> {
  const found = processes.find(({ pid, role }) => pid === service?.pid && role === 'service');
  return found === undefined ? {} : { service: { ...found } };
}

function databaseView(database: StatusReport['database']): DatabaseDto {
  if (database.state !== 'ours') return { ...database };
  const { state, schemaVersion, epoch, bytes, rows } = database;
  return { state, schemaVersion, epoch, sizeBytes: bytes, rows: { ...rows, byStatus: { ...rows.byStatus } } };
}

function withSize<T extends { readonly bytes: number }>({ bytes, ...rest }: T) {
  return { ...rest, sizeBytes: bytes };
}

/** The words of `status`, and the first command in them. */
export function nextStepView(text: string): NextStepDto {
  const command = /deespec [a-z]+(?: [\w-]+)*/u.exec(text)?.[0];
  return { text, ...(command === undefined ? {} : { command }) };
}
