import { displayPath } from '@deespec/domain';
import type { AuditEntry } from '@deespec/domain';
import { safeJson, safeText } from './safe-text.js';

/** What `audit` can print for another program. */
export const auditFormats = ['json', 'ndjson', 'csv'] as const;
export type AuditFormat = (typeof auditFormats)[number];

/** A row of the audit log in a document: always the same names in the same order, `null` for what it does not say. */
export function toAuditData(entry: AuditEntry) {
  return {
    seq: entry.seq ?? null,
    timestamp: entry.timestamp,
    entityType: entry.entityType,
    entityId: entry.entityId,
    action: entry.action,
    oldValue: entry.oldValue ?? null,
    newValue: entry.newValue ?? null,
    user: entry.user ?? null,
    sessionId: entry.sessionId ?? null,
    requestId: entry.requestId ?? null,
    oldHash: entry.oldHash ?? null,
    newHash: entry.newHash ?? null,
    previous: entry.previous ?? null,
    hash: entry.hash ?? null,
    source: entry.source === undefined ? null : displayPath(entry.source),
  };
}

const columns = Object.keys(
  toAuditData({ timestamp: '', entityType: '', entityId: '', action: '' }),
) as (keyof ReturnType<typeof toAuditData>)[];

/** Writes rows in pieces: what stands before all of them, between two, and after. */
interface AuditWriter {
  readonly begin: string;
  readonly row: (entry: AuditEntry) => string;
  readonly between: string;
  readonly end: string;
}

/**
 * How rows are written: `json` one array, `ndjson` one object on each line, `csv` a line of names and one for each row.
 *
 * @param target - a terminal gets control characters in CSV escaped; a file or pipe gets the texts as they are
 */
export function auditWriter(format: AuditFormat, target: 'terminal' | 'file'): AuditWriter {
  const json = (entry: AuditEntry): string => safeJson(JSON.stringify(toAuditData(entry)));
  switch (format) {
    case 'json':
      return { begin: '[\n', row: json, between: ',\n', end: '\n]\n' };
    case 'ndjson':
      return { begin: '', row: (entry) => `${json(entry)}\n`, between: '', end: '' };
    case 'csv':
      return csvWriter(target);
  }
}

/** Source: RFC 4180; a line ends with CR LF. */
function csvWriter(target: 'terminal' | 'file'): AuditWriter {
  const [lineEnd, shown] = target === 'terminal' ? ['\n', safeText] : ['\r\n', (text: string) => text];
  const row = (entry: AuditEntry): string => {
    const data = toAuditData(entry);
    return `${columns.map((name) => csvField(data[name], shown)).join(',')}${lineEnd}`;
  };
  return { begin: `${columns.join(',')}${lineEnd}`, row, between: '', end: '' };
}

function csvField(value: string | number | null, shown: (text: string) => string): string {
  if (value === null) return '';
  const text = shown(String(value));
  // An empty text is told from an absent one by its quotes.
  return text === '' || /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
