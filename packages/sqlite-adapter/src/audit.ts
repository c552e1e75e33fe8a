import type { AuditEntry, AuditFilter, TreePath } from '@deespec/domain';
import { EntitySchema, type DataSource } from 'typeorm';

import { pageSize } from './page.js';

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

/** Audit rows, oldest first, then by source path. */
export async function listAudit(source: DataSource, filter: AuditFilter): Promise<AuditEntry[]> {
  const query = source.getRepository(auditSchema).createQueryBuilder('a');
  if (filter.entityId !== undefined) query.andWhere('a.entity_id = :id', { id: filter.entityId });
  const rows = await query
    .orderBy('a.timestamp')
    .addOrderBy('a.path')
    .addOrderBy('a.id')
    .limit(pageSize(filter.limit))
    .getMany();
  return rows.map(auditFromRow);
}

function auditFromRow(row: AuditRow): AuditEntry {
  return {
    timestamp: row.timestamp,
    entityType: row.entityType,
    entityId: row.entityId,
    action: row.action,
    ...(row.oldValue === null ? {} : { oldValue: row.oldValue }),
    ...(row.newValue === null ? {} : { newValue: row.newValue }),
    ...(row.user === null ? {} : { user: row.user }),
    ...(row.sessionId === null ? {} : { sessionId: row.sessionId }),
    ...(row.path === null ? {} : { source: row.path.toString('latin1') as TreePath }),
  };
}
