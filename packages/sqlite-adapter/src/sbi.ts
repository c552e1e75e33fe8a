import { StorageError, type Sbi, type SbiFilter, type SbiId, type SbiStatus } from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { boundedRows } from './bounded-rows.js';
import { pageSize } from './page.js';
import { storedInteger, storedObject, storedText } from './stored-cell.js';

/** A row of `sbi`. */
export interface SbiRow {
  id: string;
  taskId: string;
  label: string | null;
  priority: number;
  status: string;
  createdAt: string;
  updatedAt: string;
  completedAt: string | null;
  metadata: string;
  path: Buffer;
}

export const sbiSchema = new EntitySchema<SbiRow>({
  name: 'sbi',
  columns: {
    id: { type: 'text', primary: true },
    taskId: { type: 'text', name: 'task_id' },
    label: { type: 'text', nullable: true },
    priority: { type: 'integer' },
    status: { type: 'text' },
    createdAt: { type: 'text', name: 'created_at' },
    updatedAt: { type: 'text', name: 'updated_at' },
    completedAt: { type: 'text', name: 'completed_at', nullable: true },
    metadata: { type: 'text' },
    path: { type: 'blob' },
  },
});

const longColumns = ['id', 'task_id', 'label', 'status', 'created_at', 'updated_at', 'completed_at']
  .concat(['metadata', 'path'])
  .map((column) => `s.${column}`);

/** The domain value of a row. @throws StorageError `DATABASE.CORRUPT` */
export function sbiFromRow(row: SbiRow): Sbi {
  const id = storedText(row.id, 'sbi');
  const where = `sbi ${id}`;
  return {
    id: id as SbiId,
    taskId: storedText(row.taskId, where),
    ...(row.label === null ? {} : { label: storedText(row.label, where) }),
    priority: storedInteger(row.priority, where),
    status: storedText(row.status, where) as SbiStatus,
    createdAt: storedText(row.createdAt, where),
    updatedAt: storedText(row.updatedAt, where),
    ...(row.completedAt === null ? {} : { completedAt: storedText(row.completedAt, where) }),
    metadata: storedObject(row.metadata, where),
  };
}

/** @throws StorageError `SBI.NOT_FOUND` */
export async function getSbi(source: DataSource, id: SbiId): Promise<Sbi> {
  const query = source.getRepository(sbiSchema).createQueryBuilder('s').where('s.id = :id', { id });
  const [row] = await boundedRows(query.limit(1), longColumns);
  if (row !== undefined) return sbiFromRow(row);
  throw new StorageError('SBI.NOT_FOUND', `no SBI has the id ${id}`, {
    hint: '"deespec sbi list" shows those that exist',
    details: { id },
  });
}

/** Rank of a priority in the order in which items are taken into work; `idx_sbi_next` has the same words. */
const RANK = 'CASE s.priority WHEN 0 THEN 999 ELSE s.priority END';

/** A keyset page in the order that the filter names. @throws StorageError `SBI.NOT_FOUND` for `after` */
export async function listSbis(source: DataSource, filter: SbiFilter): Promise<Sbi[]> {
  const query = source.getRepository(sbiSchema).createQueryBuilder('s');
  const isNext = filter.order === 'next';
  if (filter.status !== undefined) query.andWhere('s.status = :status', { status: filter.status });
  if (filter.label !== undefined) {
    query.andWhere(`(s.label = :label OR instr(',' || s.label || ',', ',' || :label || ',') > 0)`, {
      label: filter.label,
    });
  }
  if (filter.after !== undefined) {
    const { createdAt, priority, id } = await getSbi(source, filter.after);
    const columns = isNext ? `(${RANK}, s.created_at, s.id)` : '(s.created_at, s.id)';
    const values = isNext ? '(:rank, :createdAt, :id)' : '(:createdAt, :id)';
    const rank = priority === 0 ? 999 : priority;
    query.andWhere(`${columns} > ${values}`, { ...(isNext ? { rank } : {}), createdAt, id });
  }
  if (isNext) query.addOrderBy(RANK);
  query.addOrderBy('s.created_at').addOrderBy('s.id').limit(pageSize(filter.limit));
  return (await boundedRows(query, longColumns)).map(sbiFromRow);
}
