import { StorageError, type Sbi, type SbiFilter, type SbiId, type SbiStatus } from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { pageSize } from './page.js';
import { parseStored } from './stored-json.js';

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

/** The domain value of a row. */
export function sbiFromRow(row: SbiRow): Sbi {
  return {
    id: row.id as SbiId,
    taskId: row.taskId,
    ...(row.label === null ? {} : { label: row.label }),
    priority: row.priority,
    status: row.status as SbiStatus,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    ...(row.completedAt === null ? {} : { completedAt: row.completedAt }),
    metadata: parseStored(row.metadata, row.id),
  };
}

/** @throws StorageError `SBI.NOT_FOUND` */
export async function getSbi(source: DataSource, id: SbiId): Promise<Sbi> {
  const row = await source.getRepository(sbiSchema).findOneBy({ id });
  if (row !== null) return sbiFromRow(row);
  throw new StorageError('SBI.NOT_FOUND', `no SBI has the id ${id}`, {
    hint: '"deespec sbi list" shows those that exist',
    details: { id },
  });
}

/** A keyset page, ordered by `created_at`, then `id`. @throws StorageError `SBI.NOT_FOUND` for `after` */
export async function listSbis(source: DataSource, filter: SbiFilter): Promise<Sbi[]> {
  const query = source.getRepository(sbiSchema).createQueryBuilder('s');
  if (filter.status !== undefined) query.andWhere('s.status = :status', { status: filter.status });
  if (filter.label !== undefined) {
    query.andWhere(`(s.label = :label OR instr(',' || s.label || ',', ',' || :label || ',') > 0)`, {
      label: filter.label,
    });
  }
  if (filter.after !== undefined) {
    const { createdAt } = await getSbi(source, filter.after);
    query.andWhere('(s.created_at, s.id) > (:createdAt, :id)', { createdAt, id: filter.after });
  }
  const rows = await query.orderBy('s.created_at').addOrderBy('s.id').limit(pageSize(filter.limit)).getMany();
  return rows.map(sbiFromRow);
}

/** How many SBIs have each status. */
export async function countSbis(source: DataSource): Promise<ReadonlyMap<string, number>> {
  const rows = await source
    .getRepository(sbiSchema)
    .createQueryBuilder('s')
    .select('s.status', 'status')
    .addSelect('count(*)', 'number')
    .groupBy('s.status')
    .getRawMany<{ status: string; number: number }>();
  return new Map(rows.map(({ status, number }) => [status, number]));
}
