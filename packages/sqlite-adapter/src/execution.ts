import {
  StorageError,
  type Decision,
  type Execution,
  type ExecutionFilter,
  type ExecutionKey,
  type SbiId,
} from '@deespec/domain';
import { EntitySchema, type DataSource, type SelectQueryBuilder } from 'typeorm';

import { boundedRows } from './bounded-rows.js';
import { pageSize } from './page.js';
import { storedInteger, storedObject, storedPath, storedText } from './stored-cell.js';

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

const longColumns = ['sbi_id', 'step', 'status', 'decision', 'started_at', 'completed_at', 'lease_expires_at']
  .concat(['path', 'metadata'])
  .map((column) => `e.${column}`);

/** The domain value of a row. @throws StorageError `DATABASE.CORRUPT` */
export function executionFromRow(row: ExecutionRow): Execution {
  const where = `execution ${row.id}`;
  return {
    sbiId: storedText(row.sbiId, where) as SbiId,
    run: storedInteger(row.run, where),
    turn: storedInteger(row.turn, where),
    step: storedText(row.step, where),
    status: storedText(row.status, where),
    decision: storedText(row.decision, where) as Decision,
    attempt: storedInteger(row.attempt, where),
    startedAt: storedText(row.startedAt, where),
    ...(row.completedAt === null ? {} : { completedAt: storedText(row.completedAt, where) }),
    ...(row.leaseExpiresAt === null ? {} : { leaseExpiresAt: storedText(row.leaseExpiresAt, where) }),
    ...(row.path === null ? {} : { contentPath: storedPath(row.path, where) }),
    metadata: storedObject(row.metadata, where),
  };
}

/** @throws StorageError `EXECUTION.NOT_FOUND` */
export async function getExecution(source: DataSource, key: ExecutionKey): Promise<Execution> {
  const { sbiId, run, turn, step } = key;
  const query = source
    .getRepository(executionSchema)
    .createQueryBuilder('e')
    .where('e.sbi_id = :sbiId AND e.run = :run AND e.turn = :turn AND e.step = :step', { ...key });
  const [row] = await boundedRows(query.limit(1), longColumns);
  if (row !== undefined) return executionFromRow(row);
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
  return (await boundedRows(executionPage(source, filter), longColumns)).map(executionFromRow);
}

/** The query of a page. `idx_execution_list` has every column that it asks for, so that no content is read on the way to them. */
export function executionPage(source: DataSource, filter: ExecutionFilter): SelectQueryBuilder<ExecutionRow> {
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
  return query
    .orderBy('e.sbi_id')
    .addOrderBy('e.run')
    .addOrderBy('e.turn')
    .addOrderBy('e.step')
    .limit(pageSize(filter.limit));
}
