import type { AuditEntry, AuditFilter } from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { boundedRows } from './bounded-rows.js';
import { AUDIT_COLUMNS } from './index-rows.js';
import { pageSize } from './page.js';
import { storedPath, storedText } from './stored-cell.js';

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
  },
});

const longColumns = AUDIT_COLUMNS.map((column) => `a.${column}`);

/** Audit rows, oldest first, then by source path. */
export async function listAudit(source: DataSource, filter: AuditFilter): Promise<AuditEntry[]> {
  const query = source.getRepository(auditSchema).createQueryBuilder('a');
  if (filter.entityId !== undefined) query.andWhere('a.entity_id = :id', { id: filter.entityId });
  query.orderBy('a.timestamp').addOrderBy('a.path').addOrderBy('a.id').limit(pageSize(filter.limit));
  return (await boundedRows(query, longColumns)).map(auditFromRow);
}

function auditFromRow(row: AuditRow): AuditEntry {
  const where = `audit_log ${row.id}`;
  const text = (value: string): string => storedText(value, where);
  return {
    timestamp: text(row.timestamp),
    entityType: text(row.entityType),
    entityId: text(row.entityId),
    action: text(row.action),
    ...(row.oldValue === null ? {} : { oldValue: text(row.oldValue) }),
    ...(row.newValue === null ? {} : { newValue: text(row.newValue) }),
    ...(row.user === null ? {} : { user: text(row.user) }),
    ...(row.sessionId === null ? {} : { sessionId: text(row.sessionId) }),
    ...(row.path === null ? {} : { source: storedPath(row.path, where) }),
  };
}
