import { displayPath, type AuditEntry } from '@deespec/domain';

import type { Part } from '../app.js';
import type { AuditRowDto } from '../dto/audit.js';
import { timeOf } from '../http/time.js';
import { shorten } from './sbi-view.js';

/** Longest value in an answer, UTF-16 units. */
const MOST_VALUE = 65_536;

/** Who changed what. */
export function auditRoutes(): Part<'listAudit'> {
  return {
    listAudit: async ({ query: { entityId, since, limit = 50, cursor = 0 }, storage }) => {
      const rows = await (
        await storage()
      ).listAudit({
        first: 'newest',
        offset: cursor,
        // One more, to know whether there is a next page.
        limit: limit + 1,
        ...(entityId === undefined ? {} : { entityId }),
        ...(since === undefined ? {} : { since: timeOf(since) }),
      });
      const hasMore = rows.length > limit;
      return {
        body: {
          items: rows.slice(0, limit).map(rowView),
          ...(hasMore ? { nextCursor: cursor + limit } : {}),
        },
      };
    },
  };
}

function rowView({ oldValue, newValue, source, previous: _p, hash: _h, ...row }: AuditEntry): AuditRowDto {
  return {
    ...row,
    entityId: shorten(row.entityId),
    ...(oldValue === undefined ? {} : { oldValue: shorten(oldValue, MOST_VALUE) }),
    ...(newValue === undefined ? {} : { newValue: shorten(newValue, MOST_VALUE) }),
    ...(source === undefined ? {} : { source: displayPath(source) }),
  };
}
