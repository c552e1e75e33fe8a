import {
  StorageError,
  type IndexFilter,
  type Sbi,
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

/** The columns a list is ordered by. Within one status the order of a list by status is that of creation. */
function keysOf({ order = 'created', status }: IndexFilter): readonly OrderKey[] {
  return orderKeys[order === 'status' && status !== undefined ? 'created' : order];
}

/** Where an SBI stands in a list: its values of the columns that the list is ordered by. */
export type SbiPlace = readonly (string | number)[];

/** The place of an SBI in the list of a filter. */
export function placeOf(filter: IndexFilter, sbi: Sbi): SbiPlace {
  return keysOf(filter).map(({ of }) => of(sbi));
}

/** What a page is made of, in SQL on `sbi s` with named parameters. */
export interface SbiPage {
  readonly conditions: readonly string[];
  /** Those of an item's place. */
  readonly columns: readonly string[];
  readonly order: readonly string[];
  /** Of every column. */
  readonly direction: 'ASC' | 'DESC';
  readonly values: Readonly<Record<string, string | number>>;
}

/** True where the text of `label` has a label; `sbi.label` is a list with commas. */
export function hasLabel(column: string): string {
  return `(${column} = :label OR instr(',' || ${column} || ',', ',' || :label || ',') > 0)`;
}

/** True for an SBI with a `state.json` of its own. */
const HAS_STATE = `EXISTS (
  SELECT 1 FROM tree_entry t WHERE t.path = CAST(s.path || '/state.json' AS BLOB) AND t.kind = 'f')`;

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

/** Which part of a list is looked at. */
export interface SbiRange {
  /** Items behind this place. */
  readonly after?: SbiPlace | undefined;
  /** Up to this place, this included; some behind it may be among them. */
  readonly until?: SbiPlace | undefined;
  /** Those with the same first value as `after`, or those with another one; absent: both. */
  readonly among?: 'same' | 'other' | undefined;
}

/** The page that a filter names, of a part of the list. */
export function sbiPage(filter: IndexFilter, { after, until, among }: SbiRange): SbiPage {
  const { status, label } = filter;
  const conditions: string[] = [];
  const values: Record<string, string | number> = {};
  if (status !== undefined) {
    conditions.push('s.status = :status');
    values['status'] = status;
  }
  if (label !== undefined) {
    conditions.push(hasLabel('s.label'));
    values['label'] = label;
  }
  if (filter.hasState === true) conditions.push(HAS_STATE);
  const isDown = filter.direction === 'descending';
  const all = keysOf(filter).map(({ column }) => column);
  const from = among === 'same' ? 1 : 0;
  const to = among === 'other' ? 1 : all.length;
  const compare = (sign: string, name: string, place: SbiPlace): void => {
    const names = place.slice(from, to).map((_, at) => `:${name}${from + at}`);
    conditions.push(`(${all.slice(from, to).join(', ')}) ${sign} (${names.join(', ')})`);
    for (const [at, value] of place.entries()) values[`${name}${at}`] = value;
  };
  if (after !== undefined) compare(isDown ? '<' : '>', 'after', after);
  if (among === 'same') conditions.push(`${all[0]} = :after0`);
  const isBounded = until !== undefined && (among !== 'same' || until[0] === after?.[0]);
  if (isBounded) compare(isDown ? '>=' : '<=', 'until', until);
  return {
    conditions,
    columns: all,
    order: all.slice(from),
    direction: isDown ? 'DESC' : 'ASC',
    values,
  };
}
