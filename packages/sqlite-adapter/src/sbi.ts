import {
  StorageError,
  type Sbi,
  type SbiFilter,
  type SbiId,
  type SbiOrder,
  type SbiStatus,
} from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { boundedRows } from './bounded-rows.js';
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

/** The error of an id that no SBI has. */
export function sbiNotFound(id: SbiId): StorageError {
  return new StorageError('SBI.NOT_FOUND', `no SBI has the id ${id}`, {
    hint: '"deespec sbi list" shows those that exist',
    details: { id },
  });
}

/** @throws StorageError `SBI.NOT_FOUND` */
export async function getSbi(source: DataSource, id: SbiId): Promise<Sbi> {
  const query = source.getRepository(sbiSchema).createQueryBuilder('s').where('s.id = :id', { id });
  const [row] = await boundedRows(query.limit(1), longColumns);
  if (row !== undefined) return sbiFromRow(row);
  throw sbiNotFound(id);
}

/** Rank of a priority in the order in which items are taken into work; `idx_sbi_next` has the same words. */
const RANK = 'CASE s.priority WHEN 0 THEN 999 ELSE s.priority END';

/** A column that a list is ordered by, and its value of an SBI. */
interface OrderKey {
  readonly column: string;
  readonly of: (sbi: Sbi) => string | number;
}

const byId: OrderKey = { column: 's.id', of: ({ id }) => id };
const byCreation: readonly OrderKey[] = [{ column: 's.created_at', of: ({ createdAt }) => createdAt }, byId];

const orderKeys: Readonly<Record<SbiOrder, readonly OrderKey[]>> = {
  created: byCreation,
  next: [{ column: RANK, of: ({ priority }) => (priority === 0 ? 999 : priority) }, ...byCreation],
  updated: [{ column: 's.updated_at', of: ({ updatedAt }) => updatedAt }, ...byCreation],
  priority: [{ column: 's.priority', of: ({ priority }) => priority }, ...byCreation],
  status: [{ column: 's.status', of: ({ status }) => status }, ...byCreation],
  id: [byId],
};

/** What a page is made of, in SQL on `sbi s` with named parameters. */
export interface SbiPage {
  readonly conditions: readonly string[];
  readonly order: readonly string[];
  /** Of every column. */
  readonly direction: 'ASC' | 'DESC';
  readonly values: Readonly<Record<string, string | number>>;
}

/** True where the text of `label` has a label; `sbi.label` is a list with commas. */
export function hasLabel(column: string): string {
  return `(${column} = :label OR instr(',' || ${column} || ',', ',' || :label || ',') > 0)`;
}

/** Where a page is looked for: all items, or the few among which it is. */
export interface SbiSource {
  /** Tables of SQL; one of them is `sbi s`. */
  readonly from: string;
  readonly conditions: readonly string[];
  readonly values: Readonly<Record<string, string>>;
  /** Each of them is looked at, and sorted; else the list is walked in its order until the page is full. */
  readonly isFew: boolean;
}

/** All of them. */
export const everything: SbiSource = { from: 'sbi s', conditions: [], values: {}, isFew: false };

/**
 * The page that a filter names.
 *
 * @param after - the SBI that `filter.after` names
 * @param source - where it is looked for, and how many rows there are at most
 */
export function sbiPage(
  filter: SbiFilter,
  after: Sbi | undefined,
  source: Pick<SbiSource, 'conditions' | 'isFew'> & { readonly limit: number },
): SbiPage {
  const { status, label, order = 'created', direction } = filter;
  const conditions = [...source.conditions];
  const values: Record<string, string | number> = {};
  if (status !== undefined) {
    conditions.push('s.status = :status');
    values['status'] = status;
  }
  if (label !== undefined) {
    conditions.push(hasLabel('s.label'));
    values['label'] = label;
  }
  // Within one status the order of a list by status is that of creation.
  const keys = orderKeys[order === 'status' && status !== undefined ? 'created' : order];
  const isDown = direction === 'descending';
  const page: SbiPage = {
    conditions,
    order: keys.map(({ column }) => column),
    direction: isDown ? 'DESC' : 'ASC',
    values,
  };
  if (after === undefined) return page;
  for (const [at, { of }] of keys.entries()) values[`after${at}`] = of(after);
  if (order === 'next' && !source.isFew) return { ...page, conditions: [afterRank(page, source.limit)] };
  conditions.push(isBeyond(page.order, page.direction));
  return page;
}

/** @param from - which of the values of the last item the first of these columns is compared with */
function isBeyond(columns: readonly string[], direction: 'ASC' | 'DESC', from = 0): string {
  const names = columns.map((_, at) => `:after${from + at}`);
  return `(${columns.join(', ')}) ${direction === 'DESC' ? '<' : '>'} (${names.join(', ')})`;
}

/**
 * The rest of the rank of the last item, and the ranks beyond it, each at most a page: SQLite finds a place in an index by several
 * values at once only where all of them are columns, and the rank is none.
 */
function afterRank({ conditions, order, direction }: SbiPage, limit: number): string {
  const [rank, ...rest] = order as [string, ...string[]];
  const part = (place: string, columns: readonly string[]): string => {
    const where = [...conditions, place].join(' AND ');
    const ordered = columns.map((column) => `${column} ${direction}`).join(', ');
    return `SELECT * FROM (SELECT s.id FROM sbi s WHERE ${where} ORDER BY ${ordered} LIMIT ${limit})`;
  };
  const same = part(`${rank} = :after0 AND ${isBeyond(rest, direction, 1)}`, rest);
  const others = part(`${rank} ${direction === 'DESC' ? '<' : '>'} :after0`, order);
  return `s.id IN (${same} UNION ALL ${others})`;
}
