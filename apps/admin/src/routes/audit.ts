import { displayPath, parseTime, StorageError, type AuditEntry } from '@deespec/domain';

import type { Part } from '../app.js';
import type { AuditRowDto } from '../dto/audit.js';
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

function timeOf(text: string): string {
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new StorageError('USAGE.INVALID', '"since" is not a time', {
    hint: 'give it as 2026-01-31T12:00:00Z',
  });
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
