import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { answer, api, type Schemas } from './client.js';
import type { paths } from './schema.js';

/** A row of the audit log. */
export type AuditRow = Schemas['AuditRowDto'];
/** Which rows are shown. */
export type AuditQuery = NonNullable<paths['/api/audit']['get']['parameters']['query']>;

/** A page of the audit log, newest first. */
export function useAudit(query: AuditQuery) {
  return useQuery({
    queryKey: ['audit', query],
    queryFn: () => answer(api.GET('/api/audit', { params: { query } })),
    placeholderData: keepPreviousData,
  });
}
