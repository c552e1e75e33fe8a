import type { SbiFilter, Storage } from '@deespec/domain';

import type { SbiDto } from '../dto/sbi.js';
import type { Download } from '../http/download.js';
import { sbiView } from './sbi-view.js';

/** What an export is made of. */
export interface ExportRequest {
  readonly format: 'csv' | 'json';
  readonly filter: SbiFilter;
  readonly signal: AbortSignal;
  readonly now: Date;
}

const columns = [
  'id',
  'taskId',
  'title',
  'labels',
  'priority',
  'status',
  'createdAt',
  'updatedAt',
  'completedAt',
] as const;

/** Every SBI that a filter names, a page of them in memory at a time. */
export function exportOf(tree: Storage, { format, filter, signal, now }: ExportRequest): Download {
  const day = now.toISOString().slice(0, 10);
  const [head, line, end] = format === 'csv' ? csv : json;
  return {
    name: `sbis-${day}.${format}`,
    mediaType: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8',
    send: async (take) => {
      await take(Buffer.from(head));
      let at = 0;
      for await (const sbi of tree.streamSbis({ ...filter, limit: 500 })) {
        signal.throwIfAborted();
        await take(Buffer.from(line(sbiView(sbi), at)));
        at += 1;
      }
      await take(Buffer.from(end));
    },
  };
}

type Writer = readonly [head: string, line: (sbi: SbiDto, at: number) => string, end: string];

const csv: Writer = [
  `${columns.join(',')}\r\n`,
  (sbi) => `${columns.map((column) => cell(sbi[column])).join(',')}\r\n`,
  '',
];

const json: Writer = ['[\n', (sbi, at) => `${at === 0 ? '' : ',\n'}${JSON.stringify(sbi)}`, '\n]\n'];

/** One cell. What a spreadsheet would take for a formula begins with an apostrophe. Source: RFC 4180; owasp.org, "CSV Injection". */
function cell(value: string | number | readonly string[] | undefined): string {
  const text =
    typeof value === 'number' ? String(value) : typeof value === 'object' ? value.join(',') : (value ?? '');
  const safe = typeof value !== 'number' && /^[=+\-@\t\r]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
