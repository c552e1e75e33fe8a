import {
  StorageError,
  type Decision,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type SbiId,
  type TreePath,
} from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { pageSize } from './page.js';
import { parseStored } from './stored-json.js';

/** A row of `execution` without its content, which lists never read. */
export interface ExecutionRow {
  id: number;
  sbiId: string;
  run: number;
  turn: number;
  step: string;
  status: string;
  decision: string;
  attempt: number;
  startedAt: string;
  completedAt: string | null;
  leaseExpiresAt: string | null;
  path: Buffer | null;
  metadata: string;
}

export const executionSchema = new EntitySchema<ExecutionRow>({
  name: 'execution',
  columns: {
    id: { type: 'integer', primary: true, generated: 'increment' },
    sbiId: { type: 'text', name: 'sbi_id' },
    run: { type: 'integer' },
    turn: { type: 'integer' },
    step: { type: 'text' },
    status: { type: 'text' },
    decision: { type: 'text' },
    attempt: { type: 'integer' },
    startedAt: { type: 'text', name: 'started_at' },
    completedAt: { type: 'text', name: 'completed_at', nullable: true },
    leaseExpiresAt: { type: 'text', name: 'lease_expires_at', nullable: true },
    path: { type: 'blob', nullable: true },
    metadata: { type: 'text' },
  },
});

/** The domain value of a row. */
export function executionFromRow(row: ExecutionRow): Execution {
  return {
    sbiId: row.sbiId as SbiId,
    run: row.run,
    turn: row.turn,
    step: row.step,
    status: row.status,
    decision: row.decision as Decision,
    attempt: row.attempt,
    startedAt: row.startedAt,
    ...(row.completedAt === null ? {} : { completedAt: row.completedAt }),
    ...(row.leaseExpiresAt === null ? {} : { leaseExpiresAt: row.leaseExpiresAt }),
    ...(row.path === null ? {} : { contentPath: row.path.toString('latin1') as TreePath }),
    metadata: parseStored(row.metadata, `an execution of ${row.sbiId}`),
  };
}

/** @throws StorageError `EXECUTION.NOT_FOUND` */
export async function getExecution(source: DataSource, key: ExecutionKey): Promise<Execution> {
  const { sbiId, run, turn, step } = key;
  const row = await source.getRepository(executionSchema).findOneBy({ sbiId, run, turn, step });
  if (row !== null) return executionFromRow(row);
  throw new StorageError(
    'EXECUTION.NOT_FOUND',
    `${sbiId} has no execution run ${run}, turn ${turn}, step ${step}`,
    {
      hint: `"deespec execution list --sbi ${sbiId}" shows those that exist`,
      details: { ...key },
    },
  );
}

/** A keyset page, ordered by `sbi_id`, `run`, `turn`, `step`. */
export async function listExecutions(source: DataSource, filter: ExecutionFilter): Promise<Execution[]> {
  const query = source.getRepository(executionSchema).createQueryBuilder('e');
  if (filter.sbiId !== undefined) query.andWhere('e.sbi_id = :sbiId', { sbiId: filter.sbiId });
  if (filter.run !== undefined) query.andWhere('e.run = :run', { run: filter.run });
  if (filter.after !== undefined) {
    const { sbiId, run, turn, step } = filter.after;
    query.andWhere('(e.sbi_id, e.run, e.turn, e.step) > (:afterSbi, :afterRun, :afterTurn, :afterStep)', {
      afterSbi: sbiId,
      afterRun: run,
      afterTurn: turn,
      afterStep: step,
    });
  }
  const rows = await query
    .orderBy('e.sbi_id')
    .addOrderBy('e.run')
    .addOrderBy('e.turn')
    .addOrderBy('e.step')
    .limit(pageSize(filter.limit))
    .getMany();
  return rows.map(executionFromRow);
}
