import type { AuditEntry, AuditFilter } from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { boundedRows } from './bounded-rows.js';
import { AUDIT_COLUMNS } from './index-rows.js';
import { pageOffset, pageSize } from './page.js';
import { storedInteger, storedPath, storedText } from './stored-cell.js';

/** A row of `audit_log`. */
export interface AuditRow {
  id: number;
  timestamp: string;
  entityType: string;
  entityId: string;
  action: string;
  oldValue: string | null;
  newValue: string | null;
  user: string | null;
  sessionId: string | null;
  path: Buffer | null;
  seq: number | null;
  previous: string | null;
  hash: string | null;
  requestId: string | null;
  oldHash: string | null;
  newHash: string | null;
}

export const auditSchema = new EntitySchema<AuditRow>({
  name: 'audit_log',
  columns: {
    id: { type: 'integer', primary: true, generated: 'increment' },
    timestamp: { type: 'text' },
    entityType: { type: 'text', name: 'entity_type' },
    entityId: { type: 'text', name: 'entity_id' },
    action: { type: 'text' },
    oldValue: { type: 'text', name: 'old_value', nullable: true },
    newValue: { type: 'text', name: 'new_value', nullable: true },
    user: { type: 'text', nullable: true },
    sessionId: { type: 'text', name: 'session_id', nullable: true },
    path: { type: 'blob', nullable: true },
    seq: { type: 'integer', nullable: true },
    previous: { type: 'text', nullable: true },
    hash: { type: 'text', nullable: true },
    requestId: { type: 'text', name: 'request_id', nullable: true },
    oldHash: { type: 'text', name: 'old_hash', nullable: true },
    newHash: { type: 'text', name: 'new_hash', nullable: true },
  },
});

const longColumns = [...AUDIT_COLUMNS, 'previous', 'hash', 'request_id', 'old_hash', 'new_hash'].map(
  (column) => `a.${column}`,
);

/** Audit rows by time, then by source path. */
export async function listAudit(source: DataSource, filter: AuditFilter): Promise<AuditEntry[]> {
  const query = source.getRepository(auditSchema).createQueryBuilder('a');
  if (filter.entityId !== undefined) query.andWhere('a.entity_id = :id', { id: filter.entityId });
  if (filter.since !== undefined) query.andWhere('a.timestamp >= :since', { since: filter.since });
  const direction = filter.first === 'newest' ? 'DESC' : 'ASC';
  query.orderBy('a.timestamp', direction).addOrderBy('a.path', direction).addOrderBy('a.id', direction);
  query.limit(pageSize(filter.limit)).offset(pageOffset(filter.offset));
  return (await boundedRows(query, longColumns)).map(auditFromRow);
}

function auditFromRow(row: AuditRow): AuditEntry {
  const where = `audit_log ${row.id}`;
  const text = (value: string): string => storedText(value, where);
  const texts = {
    oldValue: row.oldValue,
    newValue: row.newValue,
    user: row.user,
    sessionId: row.sessionId,
    requestId: row.requestId,
    oldHash: row.oldHash,
    newHash: row.newHash,
    previous: row.previous,
    hash: row.hash,
  };
  const present = Object.entries(texts).flatMap(([key, value]) =>
    value === null ? [] : [[key, text(value)]],
  );
  return {
    timestamp: text(row.timestamp),
    entityType: text(row.entityType),
    entityId: text(row.entityId),
    action: text(row.action),
    ...(Object.fromEntries(present) as Partial<AuditEntry>),
    ...(row.seq === null ? {} : { seq: storedInteger(row.seq, where) }),
    ...(row.path === null ? {} : { source: storedPath(row.path, where) }),
  };
}
